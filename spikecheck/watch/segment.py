"""Moves parameters along the line from before a step to after it, with one spare copy."""

from collections.abc import Hashable, Sequence

from torch import Tensor

from spikecheck.watch.shards import local


class Segment:
    """Parameters before a step, or this process's part of them, kept until it was measured.

    Create it before the step. After the step, `move` places the parameters between before (0) and after (1), in
    increasing order, and `restore` restores them to the last bit. One copy is enough: it contains the parameters before
    the step until the first move, and those after the step from then on.

    >>> import torch
    >>> weight = torch.tensor([1.0, 2.0])
    >>> segment = Segment([weight])
    >>> _ = weight.sub_(1.0)
    >>> segment.move(0.5); weight
    tensor([0.5000, 1.5000])
    >>> segment.restore(); weight
    tensor([0., 1.])
    """

    def __init__(self, parameters: Sequence[Tensor]) -> None:
        parts = [local(parameter) for parameter in parameters]
        places = [_memory(part) for part in parts]
        own = dict(zip(places, parts, strict=True))
        self.parameters = list(own.values())
        self.spare = [parameter.data.clone() for parameter in self.parameters]
        spare = dict(zip(own, self.spare, strict=True))
        self.before = [spare[place] for place in places]
        """The parameters before the step, one for each that was given; until the first move."""
        self._at = 1.0
        self._exchanged = 0

    def move(self, share: float) -> None:
        """Place the parameters at `share` of the step, in [0, 1]. Shares must not decrease after the first move."""
        if self._at == 1.0:
            self._leave(share)
        else:
            rest = (share - self._at) / (1.0 - self._at)
            for parameter, after in zip(self.parameters, self.spare, strict=True):
                parameter.data.lerp_(after, rest)
        self._at = share

    def restore(self) -> None:
        """Restore the parameters after the step."""
        for parameter, after in reversed(list(zip(self.parameters[: self._exchanged], self.spare, strict=False))):
            parameter.data.copy_(after)
        self._at, self._exchanged = 1.0, 0

    def leave_out(self, others: Sequence["Segment"]) -> None:
        """Drop the parameters that another segment has: of two steps on one tensor, the earlier has its start."""
        theirs = {_memory(parameter) for other in others for parameter in other.parameters}
        own = [pair for pair in zip(self.parameters, self.spare, strict=True) if _memory(pair[0]) not in theirs]
        self.parameters, self.spare = [parameter for parameter, _ in own], [spare for _, spare in own]

    def _leave(self, share: float) -> None:
        for number, (parameter, spare) in enumerate(zip(self.parameters, self.spare, strict=True)):
            target = spare.lerp(parameter.data, share) if share else spare.clone()
            # In this order an interrupt between two lines loses nothing: counted parameters are in the spare copy.
            spare.copy_(parameter.data)
            self._exchanged = number + 1
            parameter.data.copy_(target)


def _memory(tensor: Tensor) -> Hashable:
    """Where a tensor's numbers are: equal for a parameter that is given twice, and for two that share their memory."""
    try:
        start = tensor.data_ptr()
    except RuntimeError:  # a subclass without memory of its own
        start = 0
    return (start, tensor.shape, tensor.stride()) if start else id(tensor)
