"""A user's strings, made harmless for a terminal."""

import re

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def inert(text: str) -> str:
    """The text without control characters, escape sequences' start and direction overrides; one line.

    >>> inert("a\\x1b[31mb\\nc")
    'a[31mb c'
    """
    return _CONTROL.sub("", text).replace("\n", " ").replace("\t", " ")
