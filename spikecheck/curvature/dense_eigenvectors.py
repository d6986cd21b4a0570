"""The top eigenvectors of one dense symmetric matrix, on the CPU."""

from functools import lru_cache

import torch
from jaxtyping import Float
from threadpoolctl import ThreadpoolController
from torch import Tensor


def top_eigenvectors(symmetric: Float[Tensor, "P P"], count: int) -> Float[Tensor, "K P"]:
    """Orthonormal eigenvectors of the `count` algebraically largest eigenvalues, largest first.

    LAPACK's `syevr` computes only the pairs that are asked for, in half of the time of all at P = 300 and in a third at 900
    (`tests/benchmarks/test_dense_eigenvectors.py`); torch has no such function. One thread is used, since its sums depend on
    the number of threads.

    Args:
        symmetric: a matrix of finite numbers, on the CPU; its lower triangle is read.
        count: between 1 and P.

    Raises:
        scipy.linalg.LinAlgError: when LAPACK does not converge.
    """
    # Imported here: it takes a quarter of a second, and many commands factorise no Hessian.
    from scipy.linalg import eigh  # noqa: PLC0415

    size = len(symmetric)
    with _libraries().limit(limits=1, user_api="blas"):
        _, columns = eigh(symmetric.numpy(), subset_by_index=(size - count, size - 1), driver="evr", check_finite=False)
    return torch.from_numpy(columns).T.flip(0)


@lru_cache(maxsize=1)
def _libraries() -> ThreadpoolController:
    """The linear algebra libraries of this process: finding them takes milliseconds. SciPy's is loaded before the call."""
    return ThreadpoolController()
