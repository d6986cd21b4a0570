"""Training problems: inputs, targets and what is held out."""
