"""`python -m spikecheck`."""

from spikecheck.cli import main

if __name__ == "__main__":
    main()
