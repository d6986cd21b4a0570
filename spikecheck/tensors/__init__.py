"""Helpers on tensors: compiled kernels, batched products, seeds."""
