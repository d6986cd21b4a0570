"""Sizes at which curvature is computed in another way, or at which a search ends; memory is estimated from them as well."""

WRITTEN_OUT_UP_TO = 400
"""Largest P for which a Hessian is computed as a matrix, where possible: a few products and P^2 numbers per member."""
DEPTH = 48
"""Products per Krylov space. The multiplier across the valley is isolated and needs far fewer; those near 1 are clustered."""
