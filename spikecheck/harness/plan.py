"""The amount of training for a verdict, and its seeds."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from spikecheck.core.errors import UnknownName
from spikecheck.core.setting import Setting

if TYPE_CHECKING:
    from spikecheck.harness.claim import Claim


@dataclass(frozen=True)
class Plan:
    """The size of a verification."""

    settings: int
    """Settings that Hypothesis draws from the domain."""
    search_seeds: int = 32
    """Seeds for each setting of the search: with 32, a claim holds at a required share of 0.8 if 30 or more agree."""
    fresh_seeds: int = 32
    """Fresh seeds at the first look; every later look doubles their number."""
    looks: int = 1
    """Largest number of looks while an answer is undecided; the level is corrected for repeated looks."""
    descents: int = 4
    """Rounds of shrinking a failing setting toward the reference."""
    reach: int = 0
    """Settings sampled at random from the domain, to estimate the share of it in which the claim holds."""
    reach_seeds: int = 16
    """Seeds for each sampled setting."""
    variations: bool = False
    """Whether detectors, cut-offs and limits are halved and doubled to see whether the verdict depends on them."""
    maps: bool = False
    """Whether the claim's own maps are made, with `search_seeds` seeds a cell."""
    beside: bool = True
    """Whether settings off the ladders are judged as well."""
    further: bool = False
    """Whether the expensive settings off the ladders are judged as well."""
    beside_seeds: int = 32
    """Largest number of fresh seeds for each setting off the ladders: such settings are expensive."""
    seed: int = 0
    """The root of all seeds."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """Seeds at each look."""
        return tuple(self.fresh_seeds * 2**look for look in range(self.looks))

    @property
    def beside_sizes(self) -> tuple[int, ...]:
        """Seeds at the only look at a setting off the ladders."""
        return (min(self.fresh_seeds, self.beside_seeds),)

    def of(self, claim: "Claim") -> "Plan":
        """The plan for one claim. A costly claim has one look at 32 seeds, no reach, and a search only with profile full."""
        if not claim.costly:
            return self
        small = replace(self, fresh_seeds=min(self.fresh_seeds, 32), looks=1, reach=0)
        return replace(small, settings=4, descents=1) if self.further else replace(small, settings=0, descents=0)

    def besides(self, claim: "Claim") -> Mapping[str, Setting]:
        """The settings off the ladders that are judged, by name."""
        return {**(claim.beside if self.beside else {}), **(claim.further if self.further else {})}


PROFILES: Mapping[str, Plan] = MappingProxyType(
    {
        "quick": Plan(settings=2, search_seeds=16, looks=2, descents=1, beside=False),
        "ci": Plan(settings=2, search_seeds=16, looks=2, descents=1),
        "full": Plan(
            settings=8,
            search_seeds=16,
            fresh_seeds=64,
            looks=3,
            descents=4,
            reach=24,
            variations=True,
            maps=True,
            further=True,
        ),
    }
)


def plan_of(profile: str, seed: int = 0) -> Plan:
    """The plan of a profile, with a root seed.

    Raises:
        UnknownName: there is no such profile.
    """
    if profile not in PROFILES:
        raise UnknownName("profile", profile, PROFILES)
    return replace(PROFILES[profile], seed=seed)


def search_seeds(root: int, setting: Setting, count: int) -> tuple[int, ...]:
    """The seeds with which the search judges a setting."""
    return _seeds(root, "search", setting, count)


def fresh_seeds(root: int, setting: Setting, count: int) -> tuple[int, ...]:
    """Seeds that the search does not use. A longer block begins with the shorter one."""
    return _seeds(root, "fresh", setting, count)


def reach_seeds(root: int, setting: Setting, count: int) -> tuple[int, ...]:
    """The seeds with which a setting of the domain's random sample is judged."""
    return _seeds(root, "reach", setting, count)


def _seeds(root: int, purpose: str, setting: Setting, count: int) -> tuple[int, ...]:
    """Seeds from a separate stream for every root, purpose and setting, so that settings are independent."""
    key = [*purpose.encode(), *setting.canonical().encode()]
    drawn = np.random.SeedSequence(entropy=[root, *key]).generate_state(count, np.uint32)
    return tuple(int(seed) for seed in drawn)
