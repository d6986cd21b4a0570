"""A digest of the code that decides an answer, so that answers of other rules are never counted together unnoticed."""

import ast
import hashlib
from pathlib import Path

_DECIDES = (
    "spikecheck/why/*.py",
    "spikecheck/core/why.py",
    "spikecheck/watch/*.py",
    "studies/planted_causes.py",
    "studies/planted_parts.py",
    "workloads/*.py",
)
"""A change of the code in one of these files begins the examination anew."""
_WORDS = ("spikecheck/why/words.py",)
"""Makes the sentence from an answer that is already decided: an examination must outlive the mending of a sentence."""


def rules(root: Path, *more: str) -> str:
    """The digest of the code under a root, and of `more` files: without comments, docstrings and layout."""
    words = {root / name for name in _WORDS}
    files = sorted(path for pattern in (*_DECIDES, *more) for path in root.glob(pattern) if path not in words)
    texts = (f"{path.relative_to(root)}\n{code_of(path.read_text(encoding='utf-8'))}" for path in files)
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:12]


def code_of(text: str) -> str:
    """What Python makes of a module.

    >>> code_of("'Old.'; x = 1  # one") == code_of("x = 1")
    True
    """
    return ast.dump(_WithoutStrings().visit(ast.parse(text)))


class _WithoutStrings(ast.NodeTransformer):
    """Drops statements that are nothing but a string."""

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        """A docstring of anything."""
        return None if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str) else node
