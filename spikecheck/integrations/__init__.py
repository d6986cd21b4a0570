"""Callbacks for frameworks that own the training loop; each needs its framework installed."""
