"""Callbacks for frameworks that own the training loop; each needs its framework installed."""

import spikecheck

_ = spikecheck.Watch  # imported here, the package leaves Python's random numbers as they are
