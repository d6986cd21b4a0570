"""A claim file as parts: two files with the same parts make the same claim, whatever their layout."""

import ast
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
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
MOVED = "moved, computes the same"
ALONGSIDE = {
    MOVED: (),
    "cut-offs": ("cutoffs", "far_cutoffs", "detects_spikes"),
    "update rules": ("rules",),
    "wording": ("says", "where", "unit", "quotes", "reading", "cannot_tell"),
}
"""Changes of these are listed, but a verdict does not depend on them."""
IGNORED = ("known", "beside", "further", "maps", "companions")

_PART = {keyword: part for part, keywords in (DECIDING | ALONGSIDE).items() for keyword in keywords}
_WORDS = ALONGSIDE["wording"]

Parts = Mapping[str, str]
"""By part, a text that changes where the part does."""
Shared = tuple[tuple[str, str], ...]
"""Modules that claims are made of, with their texts."""


def deciding(parts: Parts) -> Parts:
    """The parts that a verdict depends on."""
    return {part: text for part, text in parts.items() if part in DECIDING}


@lru_cache(maxsize=4096)  # most commits leave most claims alone
def parts_of(claim: str, settings: str, shared: Shared = ()) -> Parts:
    """The parts of a claim file, with what they use of it, of the shared modules and of the shared reference settings.

    A file that is not Python, or that creates its claim in another way, has the single part `other`.
    """
    try:
        file, others = _Module.of("", claim), _Others.of(settings, shared)
    except SyntaxError:
        return {"other": claim}
    made = file.definitions.get("claim")
    call = made.value if isinstance(made, ast.Assign | ast.AnnAssign) else None
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Claim"):
        return {"other": claim}
    parts: dict[str, list[str]] = {}
    for argument in sorted(call.keywords, key=lambda keyword: keyword.arg or ""):
        if argument.arg not in (*IGNORED, *_WORDS):
            text = f"{argument.arg}: {_followed(argument.value, file, others)}"
            parts.setdefault(_PART.get(argument.arg or "", "other"), []).append(text)
    if call.args:
        parts.setdefault("other", []).extend(_followed(value, file, others) for value in call.args)
    said = [node for node in ast.walk(call) if isinstance(node, ast.keyword) and node.arg in _WORDS]
    parts["wording"] = [f"{node.arg}: {_followed(node.value, file, others)}" for node in said]
    return {part: "\n".join(texts) for part, texts in parts.items()}


@dataclass(frozen=True)
class _Module:
    """A file's definitions by name, and the original names of what it imports from spikecheck, by its own names."""

    name: str
    """What its definitions are told apart by from those of others; empty for a claim file."""
    definitions: Mapping[str, ast.stmt]
    imported: Mapping[str, tuple[str, str]]
    """By the name used here, the module and the name there."""

    @classmethod
    @lru_cache(maxsize=1024)  # shared ones are the same for many claims and commits
    def of(cls, name: str, text: str) -> "_Module":
        body = ast.parse(text).body
        imports = [node for node in body if isinstance(node, ast.ImportFrom)]
        ours = [(node.module, node) for node in imports if node.module and node.module.split(".")[0] == "spikecheck"]
        return cls(
            name,
            {name: node for node in body for name in _defined(node)},
            {alias.asname or alias.name: (module, alias.name) for module, node in ours for alias in node.names},
        )


@dataclass(frozen=True)
class _Others:
    """What a claim file imports from and is followed into: shared modules by their names, and the reference settings."""

    settings: _Module
    modules: Mapping[str, _Module] = field(default_factory=dict)

    @classmethod
    @lru_cache(maxsize=1024)
    def of(cls, settings: str, shared: Shared) -> "_Others":
        return cls(_Module.of("shared ", settings), {name: _Module.of(f"{name}.", text) for name, text in shared})

    def home(self, file: _Module, used: str) -> tuple[_Module, str]:
        """Where a name used in a file is defined, and its name there; a dotted one is a name in an imported module."""
        first, _, attribute = used.partition(".")
        module, name = file.imported.get(first, ("", first))
        if attribute:
            return self.modules.get(f"{module}.{name}", file), attribute if f"{module}.{name}" in self.modules else ""
        if used in file.definitions:
            return file, used
        return self.modules.get(module, self.settings), name if first in file.imported else ""


def _defined(node: ast.stmt) -> Iterator[str]:
    """Yield the names that a top-level statement defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from (part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name))


def _followed(node: ast.AST, file: _Module, others: _Others) -> str:
    """A node, and whatever it uses that is defined in its file, in a shared module or among the shared reference settings."""
    texts: dict[str, str] = {}
    _collect(node, file, others, "", texts)
    return "\n".join(f"{name}= {text}" for name, text in sorted(texts.items()))


def _collect(node: ast.AST, file: _Module, others: _Others, name: str, texts: dict[str, str]) -> None:
    plain = _Plain().visit(deepcopy(node))
    texts[name] = ast.dump(plain)
    for used in sorted(_used(plain)):
        module, called = others.home(file, used)
        key = f"{module.name}{called}"
        if called in module.definitions and key not in texts:
            _collect(module.definitions[called], module, others, key, texts)


def _used(node: ast.AST) -> set[str]:
    """The names that are read in a node and not made in it, and what is read of them as `name.attribute`."""
    names = [part for part in ast.walk(node) if isinstance(part, ast.Name)]
    arguments = {part.arg for part in ast.walk(node) if isinstance(part, ast.arg)}
    made = arguments | {name.id for name in names if isinstance(name.ctx, ast.Store)}
    dotted = {
        f"{part.value.id}.{part.attr}"
        for part in ast.walk(node)
        if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id not in made
    }
    return ({name.id for name in names if isinstance(name.ctx, ast.Load)} - made) | dotted


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
        if isinstance(node.func, ast.Name) and node.func.id == "described":
            node.args = node.args[1:]
        node.keywords = [keyword for keyword in node.keywords if keyword.arg not in _WORDS]
        return self.generic_visit(node)
