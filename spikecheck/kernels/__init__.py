"""Triton kernels. They import nothing else of spikecheck, and are imported where there is a GPU, or to be interpreted."""
