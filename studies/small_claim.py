"""The text of a claim file that takes a moment to verify: for tests, and for studies that interrupt spikecheck."""

_TEXT = '''
"""Training lowers the loss."""
from spikecheck import Claim, Control, Domain, Ladder, Prediction, Setting, Trial

def fall(trial: Trial) -> float:
    """Loss at the end over loss at the start."""
    return float(trial["run"].loss[-1] / trial["run"].loss[0])

def rise(trial: Trial) -> float:
    """The inverse."""
    return 1.0 / fall(trial)

def gone(trial: Trial) -> float:
    """The loss of a training that has learned everything."""
    return 0.0

claim = Claim(
    says="training lowers the loss", where="everywhere", kind="{kind}",
    domain=Domain(Setting(width=5, points=8, steps={steps}, lr=0.02), lr=Ladder(0.02, 0.01{rung})),
    measure=fall, unit="ratio", predicts=Prediction(below={below}), applies=lambda trial: True,
    control=Control(says="inverted", measure={control}),
    positive=Control(says="a loss that is gone", measure=gone),
)
'''


def small_claim(
    *, steps: int = 40, below: float = 1.0, control: str = "rise", kind: str = "law", rung: str = ""
) -> str:
    """Training lowers the loss, in the words of a claim file.

    Args:
        steps: of each training.
        below: the ratio of last to first loss that the claim predicts.
        control: the negative control's measure, `rise`, `fall` or `gone`.
        kind: law or tendency.
        rung: further rates of the domain, each after a comma.
    """
    return _TEXT.format(steps=steps, below=below, control=control, kind=kind, rung=rung)
