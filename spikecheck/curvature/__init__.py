"""Hessians of every member of an ensemble: products, eigenpairs, and the linearised update."""
