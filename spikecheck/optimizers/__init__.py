"""Update rules over an ensemble: spikecheck's own, and any torch.optim.Optimizer."""
