"""Starts commands of spikecheck as forks of one process that has imported them.

That takes milliseconds, where an interpreter of its own takes seconds. So a random moment within such a run is one in which it
trains, measures and stores, and not one in which it imports torch. The child runs `spikecheck.cli.main.main`, the function
behind the command `spikecheck`, in a process group of its own, and ends as the command would: with the interpreter's exit
handlers, but without freeing memory.
"""

import atexit
import gc
import json
import os
import pkgutil
import select
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

HERE = Path(__file__).resolve().parents[1]
_NOT_IMPORTED = ("spikecheck.integrations", "spikecheck.kernels", "spikecheck.__main__")
"""Packages that are not installed, Triton's kernels, and the module that runs the command."""


_KNOWN: set[str] = set()
"""Modules that the server has, or has tried to import."""


@dataclass(frozen=True)
class Command:
    """A command line without its program, and where it runs."""

    words: tuple[str, ...]
    place: str
    """The working directory; what is printed is appended to the file `said` in it."""
    environ: dict[str, str]
    learned: str
    """A file for the names of the modules that it imported, which the server then imports for the commands that follow."""


class Forked:
    """A command that was started; like a `subprocess.Popen` as far as it goes."""

    def __init__(self, server: "subprocess.Popen[bytes]") -> None:
        self._server = server
        self.pid = self._next(None)
        self.returncode: int | None = None

    def wait(self, timeout: float | None) -> int:
        """The exit code; negative for a signal, as in `subprocess`.

        Raises:
            subprocess.TimeoutExpired: it runs on.
        """
        if self.returncode is None:
            self.returncode = self._next(timeout)
        return self.returncode

    def poll(self) -> int | None:
        """The exit code; None while it runs."""
        with suppress(subprocess.TimeoutExpired):
            self.wait(0.0)
        return self.returncode

    def _next(self, timeout: float | None) -> int:
        pipe = self._server.stdout
        assert pipe is not None
        if not select.select([pipe], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired("spikecheck", timeout or 0.0)
        return int(pipe.readline())


class Server:
    """A process that has imported spikecheck, from which commands are forked one at a time."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = {**os.environ, **environ, "PYTHONPATH": str(HERE)}

    def start(self, command: Command) -> Forked:
        """Begin the command."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asdict(command)).encode() + b"\n")
        return Forked(self._process)

    def __enter__(self) -> Self:
        """Start the process; it imports while the first command waits."""
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "bufsize": 0}
        self._process = subprocess.Popen([sys.executable, "-m", "studies.forked_commands"], env=self._environ, **pipes)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process."""
        self._process.terminate()
        self._process.communicate()  # waits for it, and closes the pipes


def serve() -> None:
    """Fork a command for each line of standard input; answer with its process id, then with its exit code."""
    _import_everything()
    gc.freeze()
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if not child:
            _become(Command(**asked))
            atexit.register(_tell_modules, Path(asked["learned"]))
            _run()
        with suppress(PermissionError, ProcessLookupError):  # the child may have done it, or be gone
            os.setpgid(child, child)
        print(child, flush=True)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        _import_learned(Path(asked["learned"]))
        gc.freeze()  # or every collection in a fork goes through, and copies, all that was imported here
        print(code, flush=True)


def _become(command: Command) -> None:
    """Make this process what a shell would have started."""
    os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(command.place)
    said = os.open("said", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for target, source in ((0, os.open(os.devnull, os.O_RDONLY)), (1, said), (2, said)):
        os.dup2(source, target)
    os.environ.update(command.environ)
    tempfile.tempdir = None
    sys.argv = ["spikecheck", *command.words]


def _run() -> NoReturn:
    """The command; then what an interpreter does at its end, but for freeing memory, of which a fork has too much."""
    code = 1
    try:
        import_module("spikecheck.cli.main").main()
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:
        traceback.print_exc()
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _tell_modules(path: Path) -> None:
    path.write_text("\n".join(set(sys.modules) - _KNOWN), encoding="utf-8")


def _import_learned(path: Path) -> None:
    """What a command imported only when it needed it."""
    if path.exists():
        names = path.read_text(encoding="utf-8").split()
        for name in names:
            with suppress(Exception):  # a claim's own file, which has no name under which it can be imported
                import_module(name)
        path.unlink()
        _KNOWN.update(sys.modules, names)


def _import_everything() -> None:
    package = import_module("spikecheck")
    for module in pkgutil.walk_packages(package.__path__, "spikecheck."):
        if not module.name.startswith(_NOT_IMPORTED):
            import_module(module.name)
    import_module("torch._dynamo")  # by torch.optim's first step, which takes seconds
    os.environ.pop("TORCHINDUCTOR_CACHE_DIR", None)  # set by that import


if __name__ == "__main__":
    serve()
