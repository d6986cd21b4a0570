"""Why a training's loss spiked: forks from before the spike, in each of which one thing is changed."""
