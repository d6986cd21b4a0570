"""A repository's history, read through git itself."""

import gzip
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path


class NoHistory(Exception):
    """The history cannot be read here; the message gives the remedy."""


@dataclass(frozen=True)
class Commit:
    """One commit, with the day on which it was made."""

    id: str
    parents: tuple[str, ...]
    date: str
    subject: str
    place: int
    """Its place in the history, in which every commit comes after its parents."""

    @property
    def short(self) -> str:
        """The id shortened to a fixed length, since the length that git chooses grows with the clone."""
        return self.id[:7]


@dataclass(frozen=True)
class History:
    """The complete history up to one commit. In a partial history, the oldest commit would seem to have written everything."""

    folder: Path
    at: str

    @classmethod
    def of(cls, folder: Path, revision: str = "HEAD") -> "History":
        """The history up to a revision.

        Raises:
            NoHistory: when git, the repository or the revision is missing, or the clone is partial.
        """
        try:
            inside = _git(folder, "rev-parse", "--show-prefix", "--is-shallow-repository").decode().splitlines()
            at = _git(folder, "rev-parse", "--verify", f"{revision}^{{commit}}").decode().strip()
        except FileNotFoundError:
            raise NoHistory("git is not installed; install it and try again") from None
        except subprocess.CalledProcessError as error:
            said = error.stderr.decode(errors="replace").strip().splitlines()[-1:]
            raise NoHistory(
                f"git cannot read {revision} in {folder} ({' '.join(said)}); run this in a full clone of the repository"
            ) from None
        if inside[0]:
            raise NoHistory(f"{folder} is not the top of a git repository; run this in a full clone of the repository")
        if inside[1] == "true":
            raise NoHistory("this clone has only a part of the history; run `git fetch --unshallow` and try again")
        return cls(folder, at)

    def up_to(self, paths: Iterable[str]) -> "History":
        """The history up to the newest commit that changed any of these paths, if it includes all others that did."""
        touching = self.touching(paths)
        newest = touching[-1].id if touching else self.at
        whole = all(commit.id == newest or self.precedes(commit.id, newest) for commit in touching)
        return replace(self, at=newest) if whole else self

    @cached_property
    def commits(self) -> Mapping[str, Commit]:
        """All commits by id, every one after its parents."""
        told = self._read("log", "--topo-order", "--reverse", "--format=%H%x00%P%x00%cs%x00%s", self.at).decode()
        rows = (line.split("\0") for line in told.split("\n") if line)
        return {
            name: Commit(name, tuple(parents.split()), date, subject, place)
            for place, (name, parents, date, subject) in enumerate(rows)
        }

    def touching(self, paths: Iterable[str]) -> list[Commit]:
        """The commits that changed any of these paths, including those of merged branches, each after its parents."""
        told = self._read("rev-list", "--full-history", self.at, "--", *paths).decode()
        return sorted((self.commits[name] for name in told.split()), key=lambda commit: commit.place)

    def renames(self, path: str) -> Mapping[tuple[str, str], str]:
        """Earlier names of files, by the commit that renamed them and their later names."""
        told = self._read("log", "-M", "--diff-filter=R", "--name-status", "--format=%H", self.at, "--", path)
        commit, earlier = "", {}
        for line in told.decode().splitlines():
            if "\t" in line:
                _, before, after = line.split("\t")
                earlier[commit, after] = before
            elif line:
                commit = line
        return earlier

    def files(self, *paths: str) -> list[str]:
        """The files at these paths; for folders, all files below them."""
        return self._read("ls-tree", "-r", "-z", "--name-only", self.at, "--", *paths).decode().split("\0")[:-1]

    def names(self, pattern: str) -> list[str]:
        """The paths of all files that ever matched a pattern."""
        told = self._read("log", "-m", "--name-only", "-z", "--format=", self.at, "--", pattern).decode()
        return sorted({path.strip("\n") for path in told.split("\0")} - {""})

    def texts(self, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """The texts of files by commit and path; missing files are left out."""
        asked = list(dict.fromkeys(wanted))
        lines = "".join(f"{commit}:{path}\n" for commit, path in asked)
        answer = self._read("cat-file", "--batch", asked=lines.encode())
        texts, place = {}, 0
        for key in asked:
            end = answer.index(b"\n", place)
            size, place = answer[place:end].split()[-1], end + 1
            if size != b"missing":
                texts[key] = _text(answer[place : place + int(size)])
                place += int(size) + 1
        return texts

    def precedes(self, before: str, after: str) -> bool:
        """Whether one commit is among the ancestors of another."""
        return before in self._ancestors[after]

    @cached_property
    def _ancestors(self) -> Mapping[str, frozenset[str]]:
        ancestors: dict[str, frozenset[str]] = {}
        for commit in self.commits.values():
            ancestors[commit.id] = frozenset(commit.parents).union(*(ancestors[parent] for parent in commit.parents))
        return ancestors

    def _read(self, *arguments: str, asked: bytes = b"") -> bytes:
        return _git(self.folder, *arguments, asked=asked)


def _text(content: bytes) -> str:
    """A file's text, also of a compressed report."""
    return (gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content).decode()


def _git(folder: Path, *arguments: str, asked: bytes = b"") -> bytes:
    own = ("core.quotePath=false", "log.showRoot=true", "log.showSignature=false")  # overrides the user's settings
    line = ["git", *(part for setting in own for part in ("-c", setting)), "-C", str(folder), *arguments]
    return subprocess.run(line, input=asked, capture_output=True, check=True).stdout
