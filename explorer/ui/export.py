"""Export page: the network as it is now, as files, with the proof that they compute what the pages showed."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

import streamlit as st
import torch
from torch import Tensor, nn

from explorer.data import Batches
from explorer.evaluate import Latency, evaluate, measure_latency
from explorer.export.formats import FORMATS
from explorer.export.safetensors_file import load_network, to_bytes
from explorer.figures.widths import widths
from explorer.plan import to_json
from explorer.surgery import prune
from explorer.ui.chart import chart
from explorer.ui.jobs import JOBS, Job
from explorer.ui.progress import await_result
from explorer.ui.results import plan_digest
from explorer.ui.saliency import widths_of
from explorer.ui.session import View

LOAD = """import explorer

# a torch.nn.Module in eval mode, without its class
network = explorer.load_pruned("{name}")
# (N, {shape}) float32 -> (N, {classes})
logits = network(images)"""


@dataclass(frozen=True)
class Exported:
    """One file, and how it compares with what the pages showed."""

    content: bytes
    images: int
    difference: float  # largest |difference| of logits between the reloaded file and the gated network
    largest: float  # |logit| of all
    agreement: float  # share of images with the same prediction
    full: Latency
    pruned: Latency

    @property
    def proven(self) -> bool:
        """Whether the file computes what the pages showed."""
        return self.difference <= FORMATS["safetensors"].tolerance * self.largest and self.agreement == 1


def page(view: View) -> None:
    """Answer: what do I take away, and does it compute what I saw?"""
    picture, side = st.columns([1.6, 1], gap="large")
    made: Exported = await_result(_exporting(view))
    with picture:
        st.subheader("What is left of each layer")
        chart(widths(widths_of(view, view.removed)), "export-widths")
        st.caption(f"{view.timeline.state.how}. Units of the network as loaded; removed ones are gone from the file.")
    with side:
        st.subheader("The file")
        _proof(made)
        _downloads(view, made)
        _speed(made)


def _exporting(view: View) -> Job:
    workspace, removed, timeline = view.workspace, view.removed, view.timeline
    metrics = {"before": asdict(timeline.root.metrics), "after": asdict(timeline.state.metrics)}
    provenance = {"how": timeline.state.how, "images": workspace.images.digest, "fine-tuning": view.stage}
    widths_before = {layer.name: len(layer) for layer in workspace.network.units.layers}

    def work(job: Job) -> Exported:
        pruned = prune(workspace.network, removed)
        content = to_bytes(pruned, original_widths=widths_before, metrics=metrics, provenance=provenance)
        job.report(1, 3, "comparing the reloaded file")
        shown = evaluate(workspace.network, workspace.validation, removed).logits
        reloaded = logits_of(load_network(content)[0], workspace.validation)
        job.report(2, 3, "timing")
        return Exported(
            content,
            images=len(shown),
            difference=float((reloaded - shown).abs().max()),
            largest=float(shown.abs().max()),
            agreement=float((reloaded.argmax(1) == shown.argmax(1)).double().mean()),
            full=measure_latency(workspace.network),
            pruned=measure_latency(pruned),
        )

    return JOBS.ensure(f"export-{workspace.key}-{plan_digest(removed)}", "Making and proving the file", work)


@torch.no_grad()
def logits_of(module: nn.Module, batches: Batches) -> Tensor:
    """(N, classes) of a reloaded module, on the CPU."""
    return torch.cat([module(x) for x, _ in batches])


def _proof(made: Exported) -> None:
    text = (
        f"Reloaded from its bytes and run on {made.images} validation images: logits differ by at most "
        f"{made.difference:.1e} ({made.difference / made.largest:.1e} of the largest), "
        f"{made.agreement:.1%} of the predictions agree with what the pages showed."
    )
    (st.success if made.proven else st.error)(text)


def _downloads(view: View, made: Exported) -> None:
    name, network = f"{view.workspace.network.name.partition('.')[0]}-pruned.safetensors", view.workspace.network
    size = f"{len(made.content) / 1e6:.2f} MB"
    if made.proven:
        st.download_button(
            f"Download {name} ({size})", made.content, name, "application/octet-stream", type="primary",
            width="stretch", on_click="ignore",
        )  # fmt: skip
    plan = json.dumps(to_json(network.units, view.removed), indent=1)
    st.download_button(
        "Download the plan as JSON", plan, "plan.json", "application/json", width="stretch", on_click="ignore"
    )
    shape = ", ".join(map(str, network.input_shape))
    st.code(LOAD.format(name=name, shape=shape, classes=len(network.classes)), language="python")


def _speed(made: Exported) -> None:
    """Latency of both networks, and a plain word where the smaller one is not the faster one."""
    st.markdown("**Measured speed**, one image at a time")
    rows = {"as loaded": made.full, "pruned": made.pruned}
    st.dataframe(
        {
            "Network": list(rows),
            "Median": [f"{each.median:.2f} ms" for each in rows.values()],
            "Quartiles": [f"{each.lower_quartile:.2f} to {each.upper_quartile:.2f} ms" for each in rows.values()],
        },
        hide_index=True,
    )
    st.caption(
        f"Pruned: {_verdict(made.full, made.pruned)}. {made.full.runs} runs after warm-up, {made.full.device}, "
        f"{made.full.threads} threads."
    )


def _verdict(full: Latency, pruned: Latency) -> str:
    """In words, which of the two is faster; a difference within the quartiles is none."""
    ratio = full.median / pruned.median
    if pruned.upper_quartile < full.lower_quartile:
        return f"{ratio:.2f} times as fast as the network as loaded"
    if pruned.lower_quartile > full.upper_quartile:
        return f"slower than the network as loaded ({ratio:.2f} times as fast)"
    return "no faster and no slower than the network as loaded, within the spread"
