"""The exceptions of this package. Every message is one line and names a remedy.

SpikecheckError
├── UsageError            the user's input: exit code 2
│   ├── SettingError      a condition out of its range
│   ├── DataError         a problem whose numbers cannot be trained on
│   ├── UnknownName       a name that does not exist, with similar names that do
│   └── NothingSelected   no claim left to verify: exit code 5
├── BaselineError         a baseline that is missing or does not fit: exit code 4
├── ClaimFileError        one claim file that cannot be read; the others still run
├── ClaimError            one claim's own function raised, or its rule cannot decide; the others still run
├── StoreError            the store cannot be read or written
│   └── CorruptEntry      one stored file differs from what was written; its run is trained again
└── Stopped               work ended early; finished runs are kept
    ├── BudgetSpent       the time given with --budget is over
    ├── ClusterLost       a cluster's scheduler or all of its workers no longer answer
    └── Interrupted       Ctrl-C or SIGTERM
"""

from collections.abc import Iterable
from difflib import get_close_matches

USERS_ERRORS = (Exception, SystemExit)
"""What a user's code may raise. sys.exit() in it must not end spikecheck, least of all with exit code 0."""


class SpikecheckError(Exception):
    """Base of every error meant for the user; its text is one line with a remedy."""


class UsageError(SpikecheckError):
    """The input cannot be used as given."""


class SettingError(UsageError):
    """A condition of training lies outside its range."""


class DataError(UsageError):
    """A problem's inputs or targets cannot be trained on."""


class UnknownName(UsageError):
    """No object of the requested kind has that name."""

    def __init__(self, what: str, name: str, known: Iterable[str]) -> None:
        """`what` is the kind of thing, such as "claim"; `known` are the names that exist."""
        names = sorted(set(known))
        near = get_close_matches(name, names, n=3, cutoff=0.5)
        listed = ", ".join(near or names) or "none"
        self.near = tuple(near)
        super().__init__(f"no {what} is called {name!r}; {'did you mean' if near else 'known'}: {listed}")


class NothingSelected(UsageError):
    """No claim is left to verify."""


class BaselineError(SpikecheckError):
    """A file of earlier results is missing or does not fit the current ones."""


class ClaimFileError(SpikecheckError):
    """A claim file raised while it was read, or defines no claim."""


class ClaimError(SpikecheckError):
    """A claim's own function raised, or the available seeds are too few to decide the claim whatever they show."""


class StoreError(SpikecheckError):
    """The store cannot be read or written."""


class CorruptEntry(StoreError):
    """A stored file differs from what was written."""


class Stopped(SpikecheckError):
    """Work ended before it was complete; every run trained so far is kept."""


class BudgetSpent(Stopped):
    """The time given with --budget is over."""


class ClusterLost(Stopped):
    """A cluster's scheduler or all of its workers no longer answer."""


class Interrupted(Stopped):
    """The user pressed Ctrl-C, or the process received SIGTERM."""


def text_of(error: BaseException) -> str:
    """An error's text; empty if a user's own exception raises while it is turned into text."""
    try:
        return str(error)
    except Exception:
        return ""


def first_line(error: BaseException) -> str:
    """The first line of an error's text that is not blank; the name of its type if there is none."""
    return next((line for line in text_of(error).splitlines() if line.strip()), type(error).__name__)


def lacks_memory(error: BaseException) -> bool:
    """Whether an error means that main memory ran out: a MemoryError of Python or NumPy, or a message of torch's allocator."""
    said = text_of(error)
    return isinstance(error, MemoryError) or any(
        sign in said for sign in ("can't allocate memory", "not enough memory:")
    )


def what_stays(*, stored: bool) -> str:
    """For messages about stopped work: what is kept, and how to continue."""
    return "everything trained so far is kept, run again to go on" if stored else "without a store nothing is kept"
