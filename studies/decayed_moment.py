"""The controls of the cause "second moment too small", by decision 4 in its fifth amendment; writes reports/decayed-moment.md.

    python studies/decayed_moment.py [--first-seed 20] [--seeds 20]

Trains the regressions of `studies/decayed_worlds.py` and asks why they spiked; and counts, without training, in how many kept
answers of the examination on planted causes the new arm would be forked.
"""

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from spikecheck.core.why import Answer, Cause, Effect
from spikecheck.report import atomic_write
from spikecheck.watch.runs import Order
from spikecheck.watch.workload import Workload
from spikecheck.why.arms import HALF_RATE, LARGER_EPS, SECOND_HELD
from spikecheck.why.explain import explain_order
from spikecheck.why.question import Question
from spikecheck.why.ranking import asks_whether_held
from studies import causes_kept
from studies.decayed_worlds import STEPS
from studies.spontaneous_page import NO_CAUSE, share

ROOT = Path(__file__).resolve().parents[1]
_PAGE = ROOT / "reports" / "decayed-moment.md"
WORLDS = ("quiet", "overlong")


def answer(world: str, seed: int) -> Answer:
    """Why this regression spiked, asked as a user would."""
    return explain_order(
        Order(Workload.of(f"studies.decayed_worlds:{world}"), seed, STEPS), None, Question(), workers=1
    )


def named(one: Answer) -> str:
    """The cause that is named first, or how the question ended."""
    return one.cause or f"{NO_CAUSE} ({one.outcome})"


def asked(one: Answer) -> bool:
    """Whether the new arm was forked."""
    return any(arm.name == SECOND_HELD.name for arm in one.arms)


def controls(answers: dict[tuple[str, int], Answer]) -> Iterator[str]:
    """The table of the controls, and every answer."""
    yield "| control | trainings | spike | the new arm is forked | *second moment too small* is named, 95 % interval |"
    yield "|---|---:|---:|---:|---|"
    for world in WORLDS:
        own = [one for (name, _), one in answers.items() if name == world]
        forked = [one for one in own if one.arms]
        hits = sum(one.cause == Cause.DECAYED for one in forked)
        yield f"| {world} | {len(own)} | {len(forked)} | {sum(map(asked, forked))} | {share(hits, len(forked))} |"
    yield "\n| control | seed | onset | answer | arms that remove it | second moment held: gone in |"
    yield "|---|---:|---:|---|---|---|"
    for (world, seed), one in answers.items():
        if one.arms:
            assert one.spike is not None
            arms = ", ".join(arm.name for arm in one.arms if arm.claimed)
            held = one.arm(SECOND_HELD.name) if asked(one) else None
            counts = "" if held is None else f"{held.hits} of {len(held.forks)}"
            yield f"| {world} | {seed} | {one.spike.onset} | {named(one)} | {arms} | {counts} |"


def kept(folder: Path) -> Iterator[str]:
    """For every file of kept answers: in how many the arms would ask the new question."""
    yield "| answers | with forks | ε = 10⁻³ is claimed | and half the rate leaves the spike | the new arm is forked |"
    yield "|---|---:|---:|---:|---:|"
    for path in sorted(folder.glob("*.json.gz")):
        answers = [cell.answer for cell in causes_kept.read(path).cells if cell.answer is not None and cell.answer.arms]
        counts = Counter(reason for one in answers for reason in _reasons(one))
        yield f"| {path.name} | {len(answers)} | {counts['eps']} | {counts['half']} | {counts['asked']} |"


def _reasons(one: Answer) -> Sequence[str]:
    arms = {arm.name: arm for arm in one.arms}
    eps = LARGER_EPS.name in arms and arms[LARGER_EPS.name].claimed
    half = eps and arms[HALF_RATE.name].effect is Effect.LEAVES
    reached = {"eps": eps, "half": half, "asked": asks_whether_held(one.arms, one.signs)}
    return [name for name, holds in reached.items() if holds]


def main() -> None:
    """Ask for the answers, and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=20, help="trainings of each control")
    parser.add_argument(
        "--first-seed", type=int, default=20, help="seeds 0 to 19 were of a quiet regression without noise"
    )
    chosen = parser.parse_args()
    seeds = range(chosen.first_seed, chosen.first_seed + chosen.seeds)
    torch.set_num_threads(1)
    answers = {}
    for world in WORLDS:
        for seed in seeds:
            answers[world, seed] = one = answer(world, seed)
            print(f"{world} {seed}: {named(one)}", flush=True)
    command = f"python studies/decayed_moment.py --first-seed {seeds.start} --seeds {len(seeds)}"
    lines = [
        f"# Second moment too small: controls\n\nWritten by `{command}`.\n",
        *controls(answers),
        "\nKept answers of planted causes and of rises that no arm can remove:\n",
        *kept(ROOT / "reports" / "causes"),
    ]
    atomic_write.write(("\n".join(lines) + "\n").encode(), _PAGE, "reports/decayed-moment.md")


if __name__ == "__main__":
    main()
