"""Where tiles are trained: in this process, in worker processes of one torch thread each, or on a cluster.

One thread a process, everywhere: two busy processes with two torch threads each on two cores run many times slower than
with one, and the number of threads belongs to the bits of a run, so a run trained here is the run replayed there.
"""
