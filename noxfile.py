"""The workshop's sessions: nox -s tests | lint | types | verify | full | bench. `--no-venv` runs them where nox itself is."""

import nox

nox.options.sessions = ["tests", "lint", "types"]
nox.options.reuse_existing_virtualenvs = True

PYTHON = "3.11"


def install(session: nox.Session, *groups: str, package: bool = True) -> None:
    """Install dependency groups, and the package in place, at the tested versions."""
    if session.virtualenv.is_sandboxed:
        chosen = [part for group in groups for part in ("--group", group)]
        session.install("-c", "constraints.txt", *(["-e", "."] if package else []), *chosen)


@nox.session(python=PYTHON)
def tests(session: nox.Session) -> None:
    """Unit tests, property tests and doctests; further arguments go to pytest."""
    install(session, "test")
    session.run("pytest", *session.posargs)


@nox.session(python=PYTHON)
def lint(session: nox.Session) -> None:
    """Style, format, and which room may import which."""
    install(session, "lint", package=False)
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports", "--no-logo" if session.posargs else "--no-cache")


@nox.session(python=PYTHON)
def types(session: nox.Session) -> None:
    """Types of the package, the claims, the tests and this file, strictly."""
    install(session, "dev")
    session.run("mypy")


@nox.session(python=PYTHON)
def verify(session: nox.Session) -> None:
    """All claims at the size that continuous integration affords."""
    install(session)
    session.run("spikecheck", "verify", "--profile", "ci", *session.posargs)


@nox.session(python=PYTHON)
def full(session: nox.Session) -> None:
    """The full reproduction, written to reports/reproduction.json."""
    install(session)
    session.run("spikecheck", "verify", "--profile", "full", "--json", "reports/reproduction.json", *session.posargs)


@nox.session(python=PYTHON)
def bench(session: nox.Session) -> None:
    """Benchmarks, saved under reports/benchmarks."""
    install(session, "test")
    session.run(
        "pytest",
        "tests/benchmarks",
        "-oaddopts=--import-mode=importlib",  # the suite's own options skip benchmarks and check every shape
        "--benchmark-only",
        "--benchmark-storage=reports/benchmarks",
        "--benchmark-autosave",
        *session.posargs,
    )
