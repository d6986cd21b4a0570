"""Losses of an ensemble, their gradients and products with the Hessian, by the fastest way that there is."""
