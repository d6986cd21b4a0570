"""A user's own training: replayed, watched in any loop, its log read, its spikes found in noisy losses."""
