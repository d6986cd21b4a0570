"""When each claim was written, judged and changed, from the git history: `python studies/register.py` writes docs/register.md.

It needs a full clone. claims/register.toml holds the same data for programs. Uncommitted changes are ignored.
"""

import argparse
from pathlib import Path

from studies.register_entries import READ, register
from studies.register_git import History, NoHistory
from studies.register_page import page, table


def written(folder: Path, revision: str = "HEAD") -> dict[str, str]:
    """The texts of both files by their paths, made from the history up to a revision.

    They name the newest commit that concerns claims, so other commits do not change them.
    """
    entries = register(History.of(folder, revision).up_to(READ))
    return {"docs/register.md": page(entries), "claims/register.toml": table(entries)}


def main() -> None:
    """Write both files."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--at", default="HEAD", help="the newest commit to use")
    parser.add_argument("--folder", type=Path, default=Path(__file__).parents[1], help="the clone")
    asked = parser.parse_args()
    try:
        texts = written(asked.folder, asked.at)
    except NoHistory as error:
        raise SystemExit(f"error: {error}") from None
    for path, text in texts.items():
        (asked.folder / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
