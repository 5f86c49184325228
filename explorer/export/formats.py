"""The export formats: one table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec

from explorer.core.errors import BadInput
from explorer.core.text import quoted
from explorer.export import model_source, onnx_file, plan_file, pt2_file, report, runners
from explorer.export.contents import ExportContents
from explorer.networks.graph import safetensors_file

ALL = "all"


@dataclass(frozen=True)
class Format:
    """One file format: how its bytes are made, and how a clean process runs it."""

    name: str
    file_name: str
    description: str  # one line for people
    render: Callable[[ExportContents], bytes]
    usage: str  # source that loads the file
    runner: str | None = None  # source that runs it in a clean process, see runners.py; None where nothing is to run
    tolerance: float = 1e-4  # largest difference of logits from the proof's that is ok, as a share of the largest
    takes_pixels: bool = False  # from 0 to 1, instead of images after preprocessing
    needs: tuple[str, ...] = ()  # other formats whose files it reads
    packages: tuple[str, ...] = ()  # not among the project's own dependencies
    extra: str = ""  # of the project, that brings them
    code: bool = False  # loading it runs what its maker wrote
    tells_of_others: bool = False  # made last, when all other files have been proven


_ONNX = "import onnxruntime\n\nsession = onnxruntime.InferenceSession({file!r})\n"

FORMATS: Mapping[str, Format] = {
    f.name: f
    for f in (
        Format(
            name="safetensors",
            file_name="network.safetensors",
            description="weights, graph and manifest in one file without code; load with explorer.load_pruned(path)",
            render=safetensors_file.render,
            usage='import explorer\n\nnetwork = explorer.load_pruned("network.safetensors")\nlogits = network(images)',
            runner=runners.SAFETENSORS,
        ),
        Format(
            name="model",
            file_name="model.py",
            description="the network as plain PyTorch that reads the safetensors file beside it; needs torch alone",
            render=model_source.render,
            usage="from model import load, normalised\n\nnetwork = load()\nlogits = network(normalised(pixels))",
            runner=runners.MODEL,
            code=True,
            needs=("safetensors",),
        ),
        Format(
            name="pt2",
            file_name="network.pt2",
            description="torch.export's program, for batches of any size; needs torch alone",
            render=pt2_file.render,
            usage='import torch\n\nnetwork = torch.export.load("network.pt2").module()\nlogits = network(images)',
            runner=runners.PT2,
            code=True,  # torch.export.load unpickles what it finds, and evaluates expressions
        ),
        Format(
            name="onnx",
            file_name="network.onnx",
            description="ONNX, for batches of any size; takes images after preprocessing",
            render=onnx_file.render,
            usage=_ONNX.format(file="network.onnx") + '(logits,) = session.run(None, {"images": images})',
            runner=runners.ONNX,
            tolerance=1e-3,
            packages=(*onnx_file.PACKAGES, "onnxruntime"),
            extra="onnx",
        ),
        Format(
            name="onnx-pixels",
            file_name="network-pixels.onnx",
            description="ONNX with the normalisation inside; takes pixels from 0 to 1",
            render=onnx_file.render_with_normalisation,
            usage=_ONNX.format(file="network-pixels.onnx") + '(logits,) = session.run(None, {"pixels": pixels})',
            runner=runners.ONNX,
            tolerance=1e-3,
            takes_pixels=True,
            packages=(*onnx_file.PACKAGES, "onnxruntime"),
            extra="onnx",
        ),
        Format(
            name="plan",
            file_name="plan.json",
            description="the units that were removed, as JSON; `replay` removes them from the original network again",
            render=plan_file.render,
            usage="pruning-explorer replay NETWORK --plan plan.json --out DIR",
        ),
        Format(
            name="report",
            file_name="report.html",
            description="curves, widths, metrics, settings and proof on one page that needs no network",
            render=report.render,
            usage="open report.html in a browser",
            tells_of_others=True,
        ),
    )
}


def formats_for(names: Iterable[str]) -> list[Format]:
    """The formats of these names and those that they need, in the table's order; "all" stands for every one.

    Raises BadInput for a name that is unknown, and for a format whose packages are not installed.
    """
    wanted = list(names)
    for name in wanted:
        if name not in (*FORMATS, ALL):
            raise BadInput(
                f"Export format {quoted(name, 40)} is unknown; the formats are: {', '.join((*FORMATS, ALL))}."
            )
    full = set(FORMATS) if ALL in wanted else {*wanted, *(needed for name in wanted for needed in FORMATS[name].needs)}
    found = [each for each in FORMATS.values() if each.name in full]
    for each in found:
        if reason := unavailable(each):
            raise BadInput(reason)
    return found


def unavailable(each: Format) -> str:
    """Why a format can't be made here, one sentence; nothing where it can."""
    missing = [package for package in each.packages if find_spec(package) is None]
    if not missing:
        return ""
    return (
        f"The format {each.name} needs the package {missing[0]}, which is not installed: "
        f"pip install 'pruning-explorer[{each.extra}]'."
    )
