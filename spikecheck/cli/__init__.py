"""The command line: `spikecheck` and its commands."""
