"""Where tiles are trained: in this process, in worker processes of one torch thread each, or on a cluster.

Every process uses one torch thread, for two reasons. On two cores, two busy processes with two threads each run many times
slower than with one each. And the number of threads affects a run's bits, so it must be the same wherever a run is replayed.
"""
