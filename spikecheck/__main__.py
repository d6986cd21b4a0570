"""`python -m spikecheck`."""

from spikecheck.cli.main import main

if __name__ == "__main__":
    main()
