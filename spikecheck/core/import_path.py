"""Finds and imports the objects that a setting names as MODULE:NAME."""

import hashlib
import importlib
import inspect
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from spikecheck.core.errors import USERS_ERRORS, SettingError, SpikecheckError, UnknownName, UsageError, text_of
from spikecheck.core.own_files import own_files
from spikecheck.core.setting import OPTIMIZERS, PER_MEMBER, Setting

# In a wheel the workloads lie inside the package; in a checkout beside it.
_WORKLOADS = "spikecheck._workloads" if (Path(__file__).parents[1] / "_workloads").is_dir() else "workloads"

# Short names of built-in objects. They map to import paths, so that scikit-learn is imported only where digits are used.
BUILT_IN: Mapping[str, Mapping[str, str]] = {
    "problem": {
        "sines": "spikecheck.data.sines:sines",
        "digits": "spikecheck.data.digits:digits",
        "few-digits": "spikecheck.data.digits:few_digits",
        "mnist1d": "spikecheck.data.mnist1d:mnist1d",
        "mnist": "spikecheck.data.mnist:mnist",
        "fashion-mnist": "spikecheck.data.fashion_mnist:fashion_mnist",
        "cifar10": "spikecheck.data.cifar10:cifar10",
    },
    "model": {
        "mlp": "spikecheck.models.mlp:MLP",
        "linear": "spikecheck.models.mlp:MLP",
        "conv": "spikecheck.models.conv:Conv",
    },
    "optimizer": dict.fromkeys(OPTIMIZERS, "spikecheck.optimizers.rules:rule_of"),
    "workload": {name: f"{_WORKLOADS}.{name}:{name}" for name in ("gpt", "mlp", "modular", "resnet", "sines")},
}


def named(condition: str, path: str) -> Any:
    """The callable named by `path`, MODULE:NAME; `condition` is the field of the setting that contains the path.

    The working directory is searched last: a file in it is found, and no installed module is shadowed by it.

    Raises:
        UnknownName: `path` is not MODULE:NAME, or the module has no object of that name.
        SettingError: the module cannot be imported, or the object is not callable.
    """
    module, _, name = path.partition(":")
    if not module or not name:
        raise UnknownName(condition, path, [*BUILT_IN.get(condition, ()), "MODULE:NAME"])
    value: Any = _imported(condition, path, module)
    for part in name.split("."):
        if not hasattr(value, part):
            raise _lacking(condition, path, module, value, part)
        value = getattr(value, part)
    if not callable(value):
        raise SettingError(f"{condition}={path!r}: is {type(value).__name__}, not callable; name a function or a class")
    return value


def check_takes(condition: str, path: str, names: Iterable[str]) -> None:
    """Check that the factory at `path` exists and takes arguments of these names, without calling it.

    Raises:
        UsageError: it cannot be imported, or takes no argument of such a name.
    """
    factory = named(condition, path)
    try:
        parameters = inspect.signature(factory).parameters
    except (TypeError, ValueError):  # of a callable without a signature nothing is known before it is called
        return
    if any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters.values()):
        return
    for name in names:
        if name not in parameters:
            raise UnknownName(f"argument of {path}", name, list(parameters)[1:])


def made(condition: str, path: str, *arguments: Any, **options: Any) -> Any:
    """Call the factory at `path` and return its result.

    Raises:
        SettingError: the factory raised; the message is one line.
    """
    factory = named(condition, path)
    try:
        return factory(*arguments, **options)
    except SpikecheckError:
        raise
    except USERS_ERRORS as error:
        raise SettingError(
            f"{condition}={path!r}: the factory raised {_said(error)}; call it by itself to see"
        ) from error


def for_all(setting: Setting, *kept: str) -> Setting:
    """The setting to pass to a factory whose product is shared by many members.

    Conditions in which members may differ (`PER_MEMBER`) have their defaults, except those named in `kept`. Otherwise a
    member's numbers would depend on which other member's setting the factory received.
    """
    return setting.but(**{name: Setting.model_fields[name].default for name in PER_MEMBER - set(kept)})


def source_digest(condition: str, path: str) -> str:
    """sha256 of the file of `path`'s module and of the user's own files that it imports, directly or not.

    For an installed module only its own file counts. For a module without a file, it is the sha256 of `path` itself.
    """
    named(condition, path)
    module = path.partition(":")[0]
    file = getattr(sys.modules[module], "__file__", None)
    if file is None:
        return hashlib.sha256(path.encode()).hexdigest()
    texts = [each.read_bytes() for each in own_files(module, Path(file))]
    return hashlib.sha256(b"\0".join(texts)).hexdigest()


def _imported(condition: str, path: str, module: str) -> Any:
    if module.startswith("."):
        raise _of_a_file(condition, path)
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        hidden = _hidden(module) if error.name == module else None
        remedy = _renamed(module, hidden) if hidden else "install it, or run in the folder that contains it"
        if module.endswith(".py"):
            raise _of_a_file(condition, path) from error
        raise SettingError(f"{condition}={path!r}: no module {error.name!r}; {remedy}") from error
    except USERS_ERRORS as error:
        raise SettingError(f"{condition}={path!r}: importing it raised {_said(error)}; fix {module}") from error


def _of_a_file(condition: str, path: str) -> SettingError:
    """The error for a file's path, or a relative name, where a module's name belongs."""
    module, _, name = path.partition(":")
    file = Path(module.removesuffix(".py").lstrip("."))
    return SettingError(
        f"{condition}={path!r}: {module} is not the name of a module; give {file.name}:{name} in the folder that contains "
        f"{file.name}.py"
    )


def _lacking(condition: str, path: str, module: str, owner: Any, part: str) -> UsageError:
    """An error that names the missing object and the module's file, since it may not be the file the user meant."""
    hidden = _hidden(module)
    if hidden is not None:
        return SettingError(
            f"{condition}={path!r}: no object in {module} is called {part!r}; {_renamed(module, hidden)}"
        )
    known = [name for name in dir(owner) if not name.startswith("_")]
    return UnknownName(f"object in {module} ({_origin(module)})", part, known)


def _hidden(module: str) -> Path | None:
    """The file in the working folder that is shadowed by an installed module of the same name; None if there is none."""
    place = Path(*module.split("."))
    for own in (place.with_suffix(".py"), place / "__init__.py"):
        if own.is_file() and own.resolve() != Path(_origin(module)).resolve():
            return own
    return None


def _renamed(module: str, hidden: Path) -> str:
    """The text that says why a file of the user's is not found, and how to fix it."""
    return f"{hidden} in the working folder is hidden by {_origin(module)}, which has the same name; rename it"


def _origin(module: str) -> str:
    """The file of a module, or of its top-level package where the module was not imported."""
    loaded = sys.modules.get(module) or sys.modules.get(module.partition(".")[0])
    return getattr(loaded, "__file__", None) or "a module built into Python"


def _said(error: BaseException) -> str:
    """The error's type and first line."""
    first = (text_of(error).splitlines() or [""])[0]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__
