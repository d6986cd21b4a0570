"""Update rules for an ensemble: built-in ones, and any torch.optim.Optimizer."""
