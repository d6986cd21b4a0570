"""The workshop: `nox -s fast` takes a minute, `nox` runs all tests, lint and types, `nox -s full` every claim."""

import nox

nox.options.sessions = ["tests", "lint", "types"]
nox.options.reuse_venv = "yes"


def _install(session: nox.Session, extra: str) -> None:
    session.install("-c", "constraints.txt", "-e", f".[{extra}]")


@nox.session
def tests(session: nox.Session) -> None:
    _install(session, "test")
    session.run("pytest", "-n", "auto", "--dist", "worksteal", *session.posargs)


@nox.session
def fast(session: nox.Session) -> None:
    """What a minute can tell: every test but those of tests/slow.txt."""
    _install(session, "test")
    session.run("pytest", "-n", "auto", "--dist", "worksteal", "-m", "not slow", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    _install(session, "dev")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports")


@nox.session
def types(session: nox.Session) -> None:
    _install(session, "dev")
    session.run("mypy")


@nox.session
def audit(session: nox.Session) -> None:
    """The pinned versions against the known vulnerabilities; fails too where a version cannot be looked up."""
    session.install("pip-audit")
    session.run(
        "pip-audit", "--requirement", "constraints.txt", "--no-deps", "--disable-pip", "--strict", *session.posargs
    )


@nox.session
def reliability(session: nox.Session) -> None:
    """Error rates, interrupted runs and fuzzed inputs; writes docs/reliability.md, resumable."""
    _install(session, "test")
    session.run("python", "studies/reliability.py", *session.posargs)


@nox.session
def soak(session: nox.Session) -> None:
    """Verifies, gates and watches over and over in one process, and measures memory; its section of docs/reliability.md."""
    _install(session, "test")
    session.run("python", "studies/soak.py", *session.posargs)


@nox.session(name="code-mutants")
def code_mutants(session: nox.Session) -> None:
    """Mistakes made in a copy of the package, which named tests must notice; writes docs/code-mutants.md."""
    _install(session, "test")
    session.run("python", "studies/code_mutants.py")


@nox.session
def verify(session: nox.Session) -> None:
    _install(session, "test")
    session.run("spikecheck", "verify", "--profile", "ci", *session.posargs, success_codes=[0, 1, 3])


@nox.session
def full(session: nox.Session) -> None:
    """Every claim at the largest size; resumable, since everything trained is stored."""
    _install(session, "test")
    files = [
        option
        for form, suffix in {"json": "json.gz", "markdown": "md", "html": "html"}.items()
        for option in (f"--{form}", f"reports/reproduction.{suffix}")
    ]
    room = {"SPIKECHECK_STORE_LIMIT": str(20 * 2**30)}  # what is evicted would be trained again
    session.run(
        "spikecheck", "verify", "--profile", "full", *files, *session.posargs, success_codes=[0, 1, 3], env=room
    )


@nox.session
def bench(session: nox.Session) -> None:
    """Figures of docs/performance.md, with the machine's description in reports/benchmarks."""
    _install(session, "test,peers")
    options = ("--benchmark-only", "-o", "addopts=--import-mode=importlib", "-W", "ignore")
    results = "--benchmark-json=reports/benchmarks/bench.json"
    session.run("pytest", "tests/benchmarks", *options, results, *session.posargs)


@nox.session
def gpu(session: nox.Session) -> None:
    """What a GPU gives, on a machine that has one: its tests, verdicts beside the CPU's, rates, commands."""
    _install(session, "test")
    session.run("python", "studies/gpu.py", *session.posargs)


@nox.session
def thirdparty(session: nox.Session) -> None:
    """Optimizers of other packages against torch's loop (docs/sweep.md), then through the gate (docs/thirdparty.md)."""
    _install(session, "thirdparty")
    session.run("python", "studies/sweep.py", success_codes=[0, 1])
    session.run("python", "studies/thirdparty.py", *session.posargs)


@nox.session
def twins(session: nox.Session) -> None:
    """Where spikes condense and what decides it; resumable, since everything trained is stored."""
    _install(session, "test")
    session.run("python", "studies/twins.py", *session.posargs)


@nox.session
def mutants(session: nox.Session) -> None:
    """Claims got wrong on purpose, which must then no longer hold; writes docs/mutants.md, resumable."""
    _install(session, "test")
    session.run("python", "studies/mutants.py", *session.posargs)


@nox.session
def workers(session: nox.Session) -> None:
    """Every claim by four Dask workers over one store, against this process."""
    _install(session, "test")
    session.run("python", "studies/four_workers.py", *session.posargs)


@nox.session
def integrations(session: nox.Session) -> None:
    """Callbacks and event files with the real Lightning, transformers, TensorBoard and W&B (offline)."""
    _install(session, "test,integrations")
    session.run(
        "pytest", "tests/integrations", "-o", "addopts=--import-mode=importlib", "-W", "ignore", *session.posargs
    )


@nox.session
def browser(session: nox.Session) -> None:
    """The HTML report in headless Chromium, with screenshots under reports/browser."""
    _install(session, "test,browser")
    session.run("pytest", "tests/browser", "-o", "addopts=--import-mode=importlib", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """The site in build/site, its pictures of the terminal made anew; then what its pages show is run."""
    _install(session, "docs,test")
    session.run("python", "studies/terminal_pictures.py")
    session.run("sphinx-build", "-W", "--keep-going", "-b", "html", "docs", "build/site", *session.posargs)
    session.run("pytest", "tests/docs/test_pages.py", "docs/_extension", env={"PYTHONPATH": "docs"})
