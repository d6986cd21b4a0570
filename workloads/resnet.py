"""A residual network with batch normalisation on augmented images.

Three stages of basic blocks at widths w, 2w and 4w, as He et al. (arXiv 1512.03385, section 4.2) have for CIFAR-10; SGD
with momentum and weight decay, warm-up and cosine. The images are scikit-learn's digits, scaled up to 32 x 32, so that
nothing is downloaded; Fashion-MNIST and CIFAR-10 where their files are.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from spikecheck.core.errors import UnknownName
from spikecheck.core.import_path import BUILT_IN, made
from spikecheck.core.setting import Setting
from spikecheck.data.dataset import checked
from spikecheck.watch.training import Training

from .parts import MakeOptimizer, count, of_size, warmup_cosine

SIZES = {"tiny": (1, 6), "small": (1, 18), "medium": (2, 38), "large": (3, 97), "huge": (3, 308)}
"""Blocks a stage, and the width of the first."""
_COLOURS = {"digits": 1, "fashion-mnist": 1, "cifar10": 3}
_POINTS = 10_000
"""Training images, where there are so many."""
_SIDE, _MOVED = 32, 4
_WARMUP = 20


def resnet(
    make_optimizer: MakeOptimizer | None,
    seed: int,
    device: str,
    *,
    size: str = "tiny",
    steps: int = 1_000,
    batch: int = 32,
    images: str = "digits",
) -> Training:
    """A residual network on images that are moved at random; loss in nats an image, chance is ln 10.

    Args:
        make_optimizer: called with the named parameters; None for SGD with momentum 0.9 and weight decay 5e-4.
        seed: of the initial weights, the order of the images and their augmentation.
        device: such as "cpu" or "cuda".
        size: "tiny" (1e4 parameters), "small" (1e5), "medium" (1e6), "large" (1e7) or "huge" (1e8).
        steps: at which the schedule ends.
        batch: images a step.
        images: "digits", or "fashion-mnist" or "cifar10" where their files are.
    """
    torch.manual_seed(seed)
    if images not in _COLOURS:
        raise UnknownName("set of images", images, _COLOURS)
    model = ResNet(_COLOURS[images], *of_size(size, SIZES)).to(device)
    default = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    optimizer = default if make_optimizer is None else make_optimizer(model.named_parameters())
    scheduler = warmup_cosine(optimizer, _WARMUP, steps)
    pictures = Moved(*_labelled(images), flipped=images != "digits")

    def loss_of(pair: list[Tensor]) -> Tensor:
        return functional.cross_entropy(model(pair[0].to(device)), pair[1].to(device))

    def step(pair: list[Tensor]) -> Tensor:
        loss = loss_of(pair)
        loss.backward()
        optimizer.step()
        scheduler.step()
        optimizer.zero_grad()
        return loss

    return Training(
        step=step,
        batches=DataLoader(pictures, batch_size=batch, shuffle=True, drop_last=True),
        state={"model": model, "optimizer": optimizer, "scheduler": scheduler},
        loss=loss_of,
        about={"parameters": count(model), "images": len(pictures), "samples a step": batch},
    )


class ResNet(nn.Module):
    """Logits of ten classes."""

    def __init__(self, colours: int, blocks: int, width: int) -> None:
        super().__init__()
        widths = [width * 2**stage for stage in range(3) for _ in range(blocks)]
        befores = [width, *widths[:-1]]
        self.stem = nn.Sequential(_conv(colours, width), nn.BatchNorm2d(width), nn.ReLU())
        self.blocks = nn.Sequential(*(Block(before, after) for before, after in zip(befores, widths, strict=True)))
        self.head = nn.Linear(widths[-1], 10)

    def forward(self, x: Tensor) -> Tensor:
        """Images [B, C, 32, 32] to logits [B, 10]."""
        logits: Tensor = self.head(self.blocks(self.stem(x)).mean((2, 3)))
        return logits


class Block(nn.Module):
    """Two convolutions, added to their input; halves the sides where it doubles the width."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        stride = 1 if before == after else 2
        self.body = nn.Sequential(
            _conv(before, after, stride), nn.BatchNorm2d(after), nn.ReLU(), _conv(after, after), nn.BatchNorm2d(after)
        )
        kept = nn.Identity() if stride == 1 else nn.Sequential(
            nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after)
        )  # fmt: skip
        self.kept: nn.Module = kept

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, S, S] to [B, C', S', S']."""
        return functional.relu(self.kept(x) + self.body(x))


class Moved(Dataset[tuple[Tensor, Tensor]]):
    """Images, each moved by up to four pixels at random, and flipped at random where left and right don't matter."""

    def __init__(self, images: Tensor, classes: Tensor, flipped: bool) -> None:
        """Images [N, C, 32, 32] and their classes [N]."""
        self.images = functional.pad(images, (_MOVED,) * 4)
        self.classes, self.flipped = classes, flipped

    def __len__(self) -> int:
        return len(self.classes)

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor]:
        down, right, flip = torch.randint(2 * _MOVED + 1, (3,)).tolist()
        moved = self.images[number, :, down : down + _SIDE, right : right + _SIDE]
        return moved.flip(-1) if self.flipped and flip % 2 else moved, self.classes[number]


def _conv(before: int, after: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(before, after, 3, stride, padding=1, bias=False)


def _labelled(images: str) -> tuple[Tensor, Tensor]:
    """Training images [N, C, 32, 32] in float32, and their classes [N]."""
    setting = Setting(problem=images, points=_POINTS)
    data = checked(made("problem", BUILT_IN["problem"][images], setting), images)
    colours = _COLOURS[images]
    side = round((data.x.shape[1] / colours) ** 0.5)
    pixels = data.x.float().view(-1, colours, side, side)
    return functional.interpolate(pixels, size=(_SIDE, _SIDE), mode="bilinear"), data.y
