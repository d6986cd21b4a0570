"""Draws docs/pictures, what the terminal shows of a claim: `python studies/terminal_pictures.py`.

README's picture is what README's command prints, so that command is run; the others are of the reproduction.
"""

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.color import parse_rgb_hex
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from spikecheck.report import json_file

ROOT = Path(__file__).parents[1]
CLAIM = "condensation"
_PART = (f"{CLAIM}, a ", "  and  ")
"""Where README's picture begins, and what no longer belongs to it: half a screen, from the claim to what decided."""
# Each has a contrast of 5 at least against its ground, and so has the text when it is dimmed.
_COLOURS = {
    "light": "ffffff 101010 1b1b1b a61b1b 17692e 7a5200 0a58a6 7a1f7a 00626e 464646",
    "dark": "16181b f0eeeb 8c9096 ff8f8f 6fcf8a f0c060 8ec7ff e29be2 6ed2dc e8e6e3",
}


def theme(colours: str) -> TerminalTheme:
    """A terminal's colours: background, text, then the eight from black to white."""
    ground, text, *eight = (parse_rgb_hex(colour) for colour in colours.split())
    return TerminalTheme(ground, text, [(colour.red, colour.green, colour.blue) for colour in eight])


THEMES = {name: theme(colours) for name, colours in _COLOURS.items()}
# Rich's own format loads a font from a server and draws a window around the text. Rich fills in the doubled braces.
_FORMAT = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="-12 -8 {{width}} {{terminal_height}}" role="img">
<style>
.{{unique_id}}-matrix {{{{ font: {{char_height}}px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }}}}
{{styles}}
</style>
<rect x="-12" y="-8" width="100%" height="100%" fill="{ground}"/>
<defs>{{lines}}</defs>
{{backgrounds}}
<g class="{{unique_id}}-matrix">{{matrix}}</g>
</svg>
"""


def shown(report: Path, columns: int, **switches: str) -> str:
    """The command's output on a terminal of so many columns, escape sequences included."""
    inherited = {name: value for name, value in os.environ.items() if name not in {"CI", "NO_COLOR", "FORCE_COLOR"}}
    terminal = {"COLUMNS": str(columns), "TERM": "xterm-256color", "COLORTERM": "truecolor", **switches}
    command = [sys.executable, "-m", "spikecheck", "report", str(report)]
    done = subprocess.run(command, env=inherited | terminal, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1, 3):
        raise RuntimeError(done.stderr)
    return done.stdout


def drawn(text: str, columns: int, colours: TerminalTheme) -> str:
    """The text as a self-contained SVG picture."""
    console = Console(file=StringIO(), record=True, width=columns, color_system="truecolor", force_terminal=True)
    console.print(Text.from_ansi(text), soft_wrap=True)
    form = _FORMAT.format(ground=colours.background_color.hex)
    return console.export_svg(theme=colours, code_format=form, font_aspect_ratio=0.6, unique_id="t")


def answers(text: str) -> str:
    """Of one claim's block what README shows: the claim, the answer in a sentence, and the figures that decided."""
    lines = text.splitlines()
    first, last = (
        next(place for place, line in enumerate(lines) if word in Text.from_ansi(line).plain) for word in _PART
    )
    return "\n".join(lines[first:last]).rstrip() + "\n"


def draw(reproduced: Path, verified: Path, folder: Path) -> None:
    """Every picture: of the reproduction's report, and README's of the one that its command made."""
    for columns in (80, 120):
        coloured = shown(reproduced, columns, FORCE_COLOR="1")
        for name, colours in THEMES.items():
            (folder / f"terminal-{columns}-{name}.svg").write_text(drawn(coloured, columns, colours), encoding="utf-8")
    for name, colours in THEMES.items():
        answer = answers(shown(verified, 80, FORCE_COLOR="1"))
        (folder / f"answer-{name}.svg").write_text(drawn(answer, 80, colours), encoding="utf-8")
    plain = drawn(shown(reproduced, 80, NO_COLOR="1"), 80, THEMES["light"])
    (folder / "terminal-80-plain.svg").write_text(plain, encoding="utf-8")


def verify(report: Path) -> None:
    """README's command; what it trains is stored."""
    command = [sys.executable, "-m", "spikecheck", "verify", "--claim", CLAIM, "--json", str(report), "--quiet"]
    if subprocess.run(command, check=False).returncode not in (0, 1, 3):
        raise RuntimeError(f"{' '.join(command)} did not make a report")


def main() -> None:
    """Write a report of one claim to a temporary file, and draw it."""
    whole = json_file.read(ROOT / "reports" / "reproduction.json.gz")
    one = whole.model_copy(update={"claims": tuple(verdict for verdict in whole.claims if verdict.id == CLAIM)})
    folder = ROOT / "docs" / "pictures"
    folder.mkdir(exist_ok=True)
    with TemporaryDirectory() as there:
        reproduced, verified = Path(there) / "reproduced.json", Path(there) / "verified.json"
        json_file.write(one, reproduced)
        verify(verified)
        draw(reproduced, verified, folder)


if __name__ == "__main__":
    main()
