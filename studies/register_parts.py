"""A claim file as parts: two files with the same parts make the same claim, whatever their layout."""

import ast
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache

# The keyword arguments of `Claim(...)`, grouped under the name of a part. Arguments not listed belong to `other`.
DECIDING = {
    "effect": ("measure",),
    "threshold": ("predicts", "kind"),
    "further conditions": ("also",),
    "domain": ("domain",),
    "controls": ("control", "positive", "plant"),
    "precondition": ("applies",),
    "arms": ("arms",),
    "recording": ("probe", "definition", "until_divergence"),
    "other": (),
}
ALONGSIDE = {
    "cut-offs": ("cutoffs", "far_cutoffs", "detects_spikes"),
    "update rules": ("rules",),
    "wording": ("says", "where", "unit", "quotes", "reading", "cannot_tell"),
}
"""Changes of these are listed, but a verdict does not depend on them."""
IGNORED = ("known", "beside", "further", "maps", "companions")

_PART = {keyword: part for part, keywords in (DECIDING | ALONGSIDE).items() for keyword in keywords}
_WORDS = ALONGSIDE["wording"]

Parts = Mapping[str, str]
"""A text for each part, which changes exactly when the part does."""


def deciding(parts: Parts) -> Parts:
    """The parts that a verdict depends on."""
    return {part: text for part, text in parts.items() if part in DECIDING}


@lru_cache(maxsize=4096)  # most commits leave most claims alone
def parts_of(claim: str, shared: str) -> Parts:
    """The parts of a claim file, including the definitions that they use from it and from the shared reference settings.

    A file that is not Python, or that creates its claim in another way, has the single part `other`.
    """
    try:
        file, reference = _Module.of(claim), _Module.of(shared)
    except SyntaxError:
        return {"other": claim}
    made = file.definitions.get("claim")
    call = made.value if isinstance(made, ast.Assign | ast.AnnAssign) else None
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Claim"):
        return {"other": claim}
    found: dict[str, list[str]] = {}
    for argument in sorted(call.keywords, key=lambda keyword: keyword.arg or ""):
        if argument.arg not in (*IGNORED, *_WORDS):
            text = f"{argument.arg}: {_followed(argument.value, file, reference)}"
            found.setdefault(_PART.get(argument.arg or "", "other"), []).append(text)
    if call.args:
        found.setdefault("other", []).extend(_followed(value, file, reference) for value in call.args)
    said = [node for node in ast.walk(call) if isinstance(node, ast.keyword) and node.arg in _WORDS]
    found["wording"] = [f"{node.arg}: {_followed(node.value, file, reference)}" for node in said]
    return {part: "\n".join(texts) for part, texts in found.items()}


@dataclass(frozen=True)
class _Module:
    """A file's definitions by name, and the original names of what it imports from spikecheck, by its own names."""

    definitions: Mapping[str, ast.stmt]
    imported: Mapping[str, str]

    @classmethod
    def of(cls, text: str) -> "_Module":
        body = ast.parse(text).body
        imports = [node for node in body if isinstance(node, ast.ImportFrom)]
        ours = [node for node in imports if node.module and node.module.split(".")[0] == "spikecheck"]
        return cls(
            {name: node for node in body for name in _defined(node)},
            {alias.asname or alias.name: alias.name for node in ours for alias in node.names},
        )


def _defined(node: ast.stmt) -> Iterator[str]:
    """Yield the names that a top-level statement defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from (part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name))


def _followed(node: ast.AST, file: _Module, reference: _Module) -> str:
    """The text of a node and of all definitions that it uses from its file or from the shared reference settings."""
    found: dict[str, str] = {}
    _collect(node, file, reference, "", found)
    return "\n".join(f"{name}= {text}" for name, text in sorted(found.items()))


def _collect(node: ast.AST, file: _Module, reference: _Module, name: str, found: dict[str, str]) -> None:
    plain = _Plain().visit(deepcopy(node))
    found[name] = ast.dump(plain)
    for used in sorted(_used(plain)):
        for module, called in ((file, used), (reference, file.imported.get(used, ""))):
            key = f"{'shared ' if module is reference else ''}{called}"
            if called in module.definitions and key not in found:
                _collect(module.definitions[called], module, reference, key, found)


def _used(node: ast.AST) -> set[str]:
    """The names that a node reads but does not define."""
    names = [part for part in ast.walk(node) if isinstance(part, ast.Name)]
    arguments = {part.arg for part in ast.walk(node) if isinstance(part, ast.arg)}
    made = arguments | {name.id for name in names if isinstance(name.ctx, ast.Store)}
    return {name.id for name in names if isinstance(name.ctx, ast.Load)} - made


class _Plain(ast.NodeTransformer):
    """Removes docstrings, annotations, and texts that decide nothing."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        said = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if said else self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        self.generic_visit(node)
        return node if node.value is None else ast.Assign(targets=[node.target], value=node.value)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        node.keywords = [keyword for keyword in node.keywords if keyword.arg not in _WORDS]
        return self.generic_visit(node)
