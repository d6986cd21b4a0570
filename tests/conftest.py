"""What holds for every test: one thread, and a choice of examples that is the same everywhere."""

import os
import sys
from pathlib import Path

from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis.database import DirectoryBasedExampleDatabase, ExampleDatabase

# Two processes with two torch threads each on two cores run up to 50 times slower, and these models gain nothing from a
# second thread. Read when torch and numpy are first imported, and inherited by processes that tests start.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
if "torch" in sys.modules:
    sys.modules["torch"].set_num_threads(1)


def register(name: str, *, examples: int, derandomize: bool, database: ExampleDatabase | None) -> None:
    """Register a profile with every field set: what is left out follows Hypothesis's CI detection and differs there.

    Names are our own for the same reason: Hypothesis fills in "ci" itself.
    """
    settings.register_profile(
        name,
        max_examples=examples,
        derandomize=derandomize,
        database=database,
        verbosity=Verbosity.normal,
        phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.target, Phase.shrink),
        stateful_step_count=30,
        report_multiple_bugs=True,
        suppress_health_check=(HealthCheck.too_slow,),  # a first example pays for torch's start
        deadline=None,
        print_blob=True,
        backend="hypothesis",
    )


FOUND = DirectoryBasedExampleDatabase(Path(__file__).parents[1] / ".hypothesis" / "examples")
register("spikecheck-dev", examples=30, derandomize=False, database=FOUND)
register("spikecheck-ci", examples=50, derandomize=True, database=None)
register("spikecheck-full", examples=1_000, derandomize=False, database=FOUND)
settings.load_profile(
    os.environ.get("SPIKECHECK_TEST_PROFILE", "spikecheck-ci" if os.environ.get("CI") else "spikecheck-dev")
)
