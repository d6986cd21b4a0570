"""The effects that claims measure, by subject, and the plants that their positive controls must find.

A measure takes a `Trial` and returns a number, nan where the effect is undefined. A plant takes a `Trial` and returns one in
which recorded values are replaced, so that its effect is known. Settings of either are keyword arguments, so a claim uses
`partial` or `described`.

Names in braces in a docstring's first line are arguments: `spikecheck explain` and reports fill in the claim's. A first line
may describe defaults; a claim that gives other arguments describes them in its own words, by `described`.
"""
