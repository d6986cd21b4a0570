"""A user's own training, watched in any loop: looks at its steps, a log, a detector for spikes in noisy losses."""
