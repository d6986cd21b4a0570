"""What claims measure, by subject, and beside every effect the plants that its positive control must find.

A measure takes a `Trial` and gives a number, nan where there is none to give. A plant takes a `Trial` and gives one in which
what was recorded has been replaced by something of a known effect. Settings of either are keyword arguments, so a claim uses
`partial` or `described`.

Names in braces in a docstring's first line are arguments: `spikecheck explain` and reports fill in the claim's. A first line
may describe defaults; a claim that gives other arguments gives words of its own, by `described`.
"""
