"""Triton kernels. They import nothing else from spikecheck, and are only imported on a GPU or for Triton's interpreter."""
