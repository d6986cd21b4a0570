"""Where the command line begins, as `spikecheck` and as `python -m spikecheck`."""

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line and exit with its code. Ctrl-C while it is still being imported is one line as well."""
    try:
        from spikecheck.cli.main import main as command
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; nothing was begun\n")
        sys.exit(130)
    command()


if __name__ == "__main__":
    main()
