"""A user's own training: replay, watching in any loop, logs, and detection of spikes in noisy losses."""
