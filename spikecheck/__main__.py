"""`python -m spikecheck`."""

from spikecheck.cli import main

main()
