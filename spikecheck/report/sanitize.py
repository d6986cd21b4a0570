"""Makes a user's strings safe to print on a terminal."""

import re

# C0 and C1 controls (escape sequences begin with one), bidirectional marks and overrides, other invisible characters,
# and lone surrogates, which cannot be encoded.
_UNSEEN = re.compile(
    r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
_BREAKS = re.compile(r"[^\S ]")


def inert(text: object) -> str:
    r"""The text as one line, without control characters and invisible characters.

    >>> inert("a\x1b[31mb\nc")
    'a[31mb c'
    """
    return _BREAKS.sub(" ", _UNSEEN.sub("", str(text)))
