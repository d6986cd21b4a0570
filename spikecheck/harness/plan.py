"""How much is trained for a verdict, and with which seeds."""

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
    """Seeds to search with: enough for 32 of 32, or 30 of 32, to hold at a required share of 0.8."""
    fresh_seeds: int = 32
    """Seeds to conclude with at the first look; every further look doubles them."""
    looks: int = 1
    """Looks at growing numbers of fresh seeds while an answer is undecided, each paid for."""
    descents: int = 4
    """Rounds of shrinking a failing setting toward the reference."""
    reach: int = 0
    """Settings sampled at random from the domain, to estimate the share of it in which the claim holds."""
    reach_seeds: int = 16
    """Seeds in each of them."""
    variations: bool = False
    """Whether detectors, cut-offs and limits are halved and doubled to see what the verdict hangs on."""
    maps: bool = False
    """Whether the claim's own maps are drawn, with as many seeds a cell as a setting is searched with."""
    beside: bool = True
    """Whether settings that stand beside the domain are judged as well."""
    further: bool = False
    """Whether the expensive ones among them are, too."""
    beside_seeds: int = 32
    """Fresh seeds of each of these settings, at most: such settings are dear."""
    seed: int = 0

    @property
    def sizes(self) -> tuple[int, ...]:
        """Seeds at each look."""
        return tuple(self.fresh_seeds * 2**look for look in range(self.looks))

    @property
    def beside_sizes(self) -> tuple[int, ...]:
        """Seeds at the one look at a setting beside the domain."""
        return (min(self.fresh_seeds, self.beside_seeds),)

    def of(self, claim: "Claim") -> "Plan":
        """The plan for one claim: of a costly one, one look at 32 seeds, a small search under profile full, and no reach."""
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
    """A profile's plan under a root seed."""
    if profile not in PROFILES:
        raise UnknownName("profile", profile, PROFILES)
    return replace(PROFILES[profile], seed=seed)


def search_seeds(root: int, setting: Setting, count: int) -> tuple[int, ...]:
    """The block of seeds a setting is searched with."""
    return _seeds(root, "search", setting, count)


def fresh_seeds(root: int, setting: Setting, count: int) -> tuple[int, ...]:
    """Seeds that no search has seen; a longer block begins with the shorter one."""
    return _seeds(root, "fresh", setting, count)


def reach_seeds(root: int, setting: Setting, count: int) -> tuple[int, ...]:
    """The block of seeds with which a setting of the domain's sample is judged."""
    return _seeds(root, "reach", setting, count)


def _seeds(root: int, purpose: str, setting: Setting, count: int) -> tuple[int, ...]:
    """A stream of its own for every root, purpose and setting, so that no two settings share their luck."""
    key = [*purpose.encode(), *setting.canonical().encode()]
    drawn = np.random.SeedSequence(entropy=[root, *key]).generate_state(count, np.uint32)
    return tuple(int(seed) for seed in drawn)
