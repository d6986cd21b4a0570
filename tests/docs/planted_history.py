"""A small git repository with one claim, whose history tests of the register plant and read."""

import json
import os
import subprocess
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

REFERENCE = """
from spikecheck.core.setting import Setting
from spikecheck.harness.domain import Domain, Ladder

SETTING_A = Setting(width=20)
SETTING_B = SETTING_A.but(width=50)


def paper_domain() -> Domain:
    return Domain(SETTING_A, lr=Ladder(0.1, 0.2))
"""
CLAIM = '''"""A claim."""

import numpy as np

from spikecheck import SETTING_B, Claim, Control, Prediction, Trial, paper_domain

LAST = -1
HALF = 2


def end(trial: Trial) -> float:
    """The loss at the end."""
    start = LAST
    return _loss(trial, start)


def _loss(trial: Trial, at: int) -> float:
    return float(trial["run"].loss[at])


def start(trial: Trial) -> float:
    return _loss(trial, 0)


claim = Claim(
    says="the loss falls",
    where="folklore",
    kind="law",
    domain=paper_domain(),
    beside={"setting B": SETTING_B},
    applies=lambda trial: True,
    measure=end,
    unit="loss",
    predicts=Prediction(below=0.5, of_seeds=0.8, level=0.95),
    control=Control(says="at the start", measure=start),
    cutoffs={"half": HALF},
)
'''
THRESHOLD = ("below=0.5", "below=0.6")


@dataclass
class Repository:
    """A small git repository with a claim `falls` in the working tree; a commit a day."""

    folder: Path
    days: int = 0

    def git(self, *arguments: str) -> str:
        date = f"2026-01-{max(self.days, 1):02}T12:00:00+00:00"
        environment = {
            **os.environ,
            "GIT_AUTHOR_DATE": date,
            "GIT_COMMITTER_DATE": date,
            "GIT_CONFIG_GLOBAL": os.devnull,
        }
        line = ["git", "-c", "user.name=x", "-c", "user.email=x@x.x", "-c", "init.defaultBranch=main", *arguments]
        done = subprocess.run(line, cwd=self.folder, env=environment, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def write(self, path: str, text: str) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text, encoding="utf-8")

    def edit(self, path: str, *replacements: tuple[str, str]) -> None:
        text = (self.folder / path).read_text(encoding="utf-8")
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        self.write(path, text)

    def judge(self, file: str = "reproduction", /, **specifications: str) -> None:
        """A report in the working tree; commits with nothing else new have another `seconds`."""
        claims = [{"id": name.replace("_", "-"), "specification": digest} for name, digest in specifications.items()]
        report = {"schema": "spikecheck/report@1", "seconds": self.days, "claims": claims}
        self.write(f"reports/{file}.json", json.dumps(report))

    def commit(self, subject: str) -> str:
        self.days += 1
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", subject)
        return self.git("rev-parse", "HEAD")


def claims(register: ModuleType, repository: Repository) -> Mapping[str, Any]:
    """The table for programs, by the ids of the claims; commits by their ids alone."""
    found = tomllib.loads(register.written(repository.folder)["claims/register.toml"])["claim"]
    plain: dict[str, Any] = {
        claim: {key: value["commit"] if isinstance(value, dict) else value for key, value in entry.items()}
        for claim, entry in found.items()
    }
    return plain


def falls(register: ModuleType, repository: Repository) -> Mapping[str, Any]:
    found: Mapping[str, Any] = claims(register, repository)["falls"]
    return found


def page(register: ModuleType, repository: Repository) -> str:
    return str(register.written(repository.folder)["docs/register.md"])
