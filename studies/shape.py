"""Lengths of functions and files, and numbers of positional parameters: `python studies/shape.py [COMMIT …]`.

Counts the tracked Python files of spikecheck/, claims/, workloads/ and the pytest plugin, at each commit or in the working
tree. A function's length is that of its lines from `def` to its end, docstring included.
"""

import argparse
import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

ROOT = Path(__file__).parents[1]
COUNTED = ("spikecheck", "claims", "workloads", "_spikecheck_pytest.py")
MOST_PARAMETERS, LONG_FILE = 5, 400


@dataclass(frozen=True)
class Shape:
    """The figures of one version of the code."""

    files: int
    lines: int
    functions: int
    median: float
    ninth_decile: float
    longest: int
    crowded: int
    """Functions with more than five positional parameters, `self` not counted."""
    long_files: tuple[str, ...]

    @classmethod
    def of(cls, sources: dict[str, str]) -> "Shape":
        """The figures of these texts, by file name."""
        functions = [node for text in sources.values() for node in _functions(ast.parse(text))]
        lengths = [(node.end_lineno or node.lineno) - node.lineno + 1 for node in functions]
        lines = {name: text.count("\n") for name, text in sources.items()}
        return cls(
            files=len(sources),
            lines=sum(lines.values()),
            functions=len(functions),
            median=median(lengths),
            ninth_decile=quantiles(lengths, n=10, method="inclusive")[-1],
            longest=max(lengths),
            crowded=sum(_positional(node) > MOST_PARAMETERS for node in functions),
            long_files=tuple(sorted(name for name, count in lines.items() if count > LONG_FILE)),
        )


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _positional(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    return len(names) - (names[:1] in (["self"], ["cls"]))


def sources(commit: str | None) -> dict[str, str]:
    """The counted files of a commit, or of the working tree."""
    listing = ["ls-files"] if commit is None else ["ls-tree", "-r", "--name-only", commit]
    names = [name for name in _git(*listing, "--", *COUNTED).splitlines() if name.endswith(".py")]
    if commit is None:
        return {name: (ROOT / name).read_text(encoding="utf-8") for name in names}
    return {name: _git("show", f"{commit}:{name}") for name in names}


def table(shapes: dict[str, Shape]) -> str:
    """A column for each version."""
    rows = {
        "files": lambda shape: f"{shape.files}",
        "lines": lambda shape: f"{shape.lines:,}",
        "functions": lambda shape: f"{shape.functions:,}",
        "lines a function: median": lambda shape: f"{shape.median:g}",
        "lines a function: 90 % have at most": lambda shape: f"{shape.ninth_decile:g}",
        "lines a function: longest": lambda shape: f"{shape.longest}",
        f"functions with more than {MOST_PARAMETERS} positional parameters": lambda shape: f"{shape.crowded}",
        f"files over {LONG_FILE} lines": lambda shape: f"{len(shape.long_files)}",
    }
    lines = [f"| | {' | '.join(shapes)} |", "|---|" + "---:|" * len(shapes)]
    lines += [f"| {name} | {' | '.join(map(says, shapes.values()))} |" for name, says in rows.items()]
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commits", nargs="*", help="commits to compare with the working tree")
    commits: list[str] = parser.parse_args().commits
    shapes = {commit: Shape.of(sources(commit)) for commit in commits}
    print(table(shapes | {"now": Shape.of(sources(None))}))


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    main()
