"""Training problems: inputs, targets and held-out points."""
