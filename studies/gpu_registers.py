"""Compiles all kernels without needing a GPU: `python studies/gpu_registers.py` prints the registers that each takes.

Triton's compiler may refuse what its interpreter accepts, so this is also a test (tests/studies/test_gpu_registers.py).
"""

import argparse
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from spikecheck.kernels import segment, shallow
from spikecheck.objective.gpu_shallow import Layout

ARCHITECTURE = 90
"""Compute capability 9.0: H100 and H200."""
RULES = {"gd": 0, "heavy-ball": 1, "nesterov": 1, "rmsprop": 1, "adam": 2, "adamw": 2}
"""Every rule, with the number of its slots per parameter."""
_INTEGERS = {"steps", "rate_hop", *shallow.SIZES}
_POINTERS = {"done": "*i64", "until": "*i64", "new_done": "*i64", "alive": "*i8", "new_alive": "*i8"}


def variants() -> Iterator[tuple[str, Any, Mapping[str, Any], int, str]]:
    """Yield name, function, constants, warps and precision of every kernel to compile."""
    for width, activation, bias in (
        (20, "tanh", False),
        (50, "relu", False),
        (200, "gelu", True),
        (1_000, "xtanh", False),
    ):
        layout = Layout.of(width)
        shape: dict[str, Any] = {"GROUP": layout.group, "GROUPS": layout.groups, "TOGETHER": layout.together}
        shape |= {"BIAS": bias, "ACTIVATION": activation}
        for precision in ("fp64", "fp32"):
            name = f"width {width}, {activation}, {precision}"
            yield f"gradient, {name}", shallow.gradient, shape, layout.warps, precision
            yield f"products, {name}", shallow.products, shape, layout.warps, precision
            rules = RULES if width == 20 else {"gd": 0, "adamw": 2}
            for rule, slots in rules.items():
                of_rule = {"RULE": rule, "SLOTS": slots, "DECAYED": rule == "adamw"}
                yield f"segment, {rule}, {name}", segment.segment, shape | of_rule, layout.warps, precision


def compiled(kernel: Any, constants: Mapping[str, Any], warps: int, precision: str) -> tuple[int, int]:
    """Registers per thread, and bytes of its stack, which holds what does not fit into registers."""
    kinds = {name: _POINTERS.get(name, f"*{precision}") for name in kernel.arg_names}
    kinds |= dict.fromkeys(_INTEGERS & set(kernel.arg_names), "i32") | dict.fromkeys(constants, "constexpr")
    source = ASTSource(fn=kernel, signature=kinds, constexprs=dict(constants))
    options = {"num_warps": warps, "enable_fp_fusion": True}
    made = triton.compile(source, target=GPUTarget("cuda", ARCHITECTURE, 32), options=options)
    tool = Path(triton.__file__).parent / "backends" / "nvidia" / "bin" / "cuobjdump"
    with tempfile.TemporaryDirectory() as folder:
        binary = Path(folder) / "kernel.cubin"
        binary.write_bytes(made.asm["cubin"])
        words = [str(tool), "--dump-resource-usage", str(binary)]
        said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    registers, stack = (re.search(pattern, said) for pattern in (r"REG:(\d+)", r"STACK:(\d+)"))
    assert registers is not None
    assert stack is not None
    return int(registers[1]), int(stack[1])


def main() -> None:
    """Print one line per kernel."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--width", type=int, help="only kernels of this width; by default all")
    asked = parser.parse_args().width
    print(f"triton {triton.__version__}, sm_{ARCHITECTURE}a")
    for name, kernel, constants, warps, precision in variants():
        if asked is not None and f"width {asked}," not in name:
            continue
        registers, stack = compiled(kernel, constants, warps, precision)
        print(f"{name}: {registers} registers, {stack} bytes of stack", flush=True)


if __name__ == "__main__":
    main()
