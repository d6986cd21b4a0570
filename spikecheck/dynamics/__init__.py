"""Training and curvature in torch, batched over the members of an ensemble."""
