"""What pages show: code, commands and links; read from their Markdown, without Sphinx."""

import re
import shlex
from collections.abc import Sequence
from contextlib import suppress
from itertools import dropwhile
from pathlib import Path
from textwrap import dedent

import click

from spikecheck.cli.main import cli

ROOT = Path(__file__).parents[2]
_ASSIGNMENT = re.compile(r"[A-Z_]+=")
"""Such as NO_COLOR=1 before the program."""
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def named(page: Path) -> str:
    """A page as a test's id."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of one language, in their order."""
    text = page.read_text(encoding="utf-8")
    found = re.findall(rf"^ *```{language}\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    return [dedent(block) for block in found]


def commands(page: Path) -> list[str]:
    """The lines of the console blocks; one that goes on after a backslash is one."""
    lines = "".join(blocks(page, "console")).replace("\\\n", " ").splitlines()
    return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]


def calls(line: str) -> list[list[str]]:
    """The programs that a command line calls, each with its arguments."""
    parts = (shlex.split(part, comments=True) for part in re.split(r"&&|\|", line))
    return [list(dropwhile(_ASSIGNMENT.match, words)) for words in parts]


def assert_understood(arguments: Sequence[str]) -> None:
    """Parse a call of `spikecheck` to the end, without carrying it out."""
    command: click.Command = cli
    while isinstance(command, click.Group) and arguments and not arguments[0].startswith("-"):
        command, arguments = command.commands[arguments[0]], arguments[1:]
    with suppress(click.exceptions.Exit):  # --help and --version are answered at once
        command.make_context(command.name, list(arguments))


def links(page: Path) -> list[str]:
    """Paths, relative to the page, that its links, pictures and inclusions lead to; fenced blocks hold none."""
    text = page.read_text(encoding="utf-8")
    directives = re.findall(r"^[`:]{3,}\{(?:include|image|figure|literalinclude)\} *(\S+)", text, re.MULTILINE)
    prose = re.sub(r"^( *)(`{3,})(?!\{).*?^\1\2$", "", text, flags=re.MULTILINE | re.DOTALL)
    return [*directives, *re.findall(r"\]\((?![a-z]+:)([^)#\s]+)", prose)]
