"""The units that a picture lights up, and what each does for the answer."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import torch
from torch import Tensor

from explorer.core.palette import KEPT, REMOVED
from explorer.figures.thumbnail import contact_sheet, thumbnail
from explorer.networks.units import Units
from explorer.scoring.detail import ImageEffects
from explorer.ui.elements.wording import signed

TOP = 12  # units shown of all layers
MOST_MAPS = 256  # of a layer
LITTLE = 1e-3  # nats
STYLE = """
<style>
ul.lit, ul.tops { list-style: none; margin: 0; padding: 0; display: grid; gap: 5px; }
ul.lit { grid-template-columns: repeat(auto-fill, minmax(46px, 1fr)); }
ul.tops { grid-template-columns: repeat(auto-fill, minmax(104px, 1fr)); gap: 10px; }
.lit li, .tops li { margin: 0; padding: 0; font-size: 0.75rem; line-height: 1.3; min-width: 0; }
.lit .map { display: block; aspect-ratio: 1; border-radius: 3px; image-rendering: pixelated; }
.tops img { width: 100%; border-radius: 3px; image-rendering: pixelated; display: block; }
.tops span { display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.tops b { font-size: 0.85rem; font-variant-numeric: tabular-nums; }
.lit .effect { display: block; height: 5px; margin-top: 2px; border-radius: 2px;
  background: color-mix(in srgb, currentColor 9%, transparent); }
.lit .effect i { display: block; height: 100%; border-radius: 2px; }
.lit .gone { border: 1px dashed color-mix(in srgb, currentColor 40%, transparent); box-sizing: border-box; }
</style>
"""


def tops_html(units: Units, maps: Mapping[str, Tensor], found: ImageEffects) -> str:
    """The units without which the loss of the picture changes most; maps: layer -> (units, H, W)."""
    finite = found.changes.nan_to_num(posinf=0.0)
    chosen = [unit for unit in finite.abs().argsort(descending=True)[:TOP].tolist() if finite[unit]]
    return f"{STYLE}<ul class='tops'>{''.join(_top(units, maps, unit, float(finite[unit])) for unit in chosen)}</ul>"


def _top(units: Units, maps: Mapping[str, Tensor], unit: int, change: float) -> str:
    layer, channel = units.labels[unit]
    all_maps = maps[layer]
    uri = thumbnail(all_maps[unit - units.slices[layer].start].numpy(), float(all_maps.max()))
    color, does = (KEPT, "helps") if change > 0 else (REMOVED, "hurts")
    name = f"{layer}, channel {channel}"
    return (
        f"<li><img src='{uri}' alt='feature map of {escape(name)}'><b>{signed(change)}</b> "
        f"<span style='border-left:4px {'solid' if change > 0 else 'dashed'} {color};padding-left:4px' "
        f"title='{escape(name)}'>{does}: {escape(layer)} · {channel}</span></li>"
    )


def layer_html(units: Units, layer: str, maps: Tensor, found: ImageEffects) -> str:
    """The feature maps (units, H, W) of a layer, and under each what closing its gate does to the loss."""
    effects = found.changes[units.slices[layer]]
    gone = effects.isinf()
    most = max(float(found.changes[~found.changes.isinf()].abs().max()), LITTLE)
    shown = torch.arange(len(maps))
    if len(maps) > MOST_MAPS:
        shown = maps.flatten(1).amax(1).argsort(descending=True)[:MOST_MAPS].sort().values
    uri, columns, rows = contact_sheet(maps[shown].numpy(), float(maps.max()))
    channels = units.layers[list(units.slices).index(layer)].channels
    items = "".join(
        _cell(f"channel {channels[unit]}", None if gone[unit] else float(effects[unit]), most, _at(k, columns, rows))
        for k, unit in enumerate(shown.tolist())
    )
    style = f".lit .map {{ background-image: url({uri}); background-size: {100 * columns}% {100 * rows}%; }}"
    return f"{STYLE}<style>{style}</style><ul class='lit'>{items}</ul>"


def _at(place: int, columns: int, rows: int) -> str:
    row, column = divmod(place, columns)
    return f"{100 * column / max(1, columns - 1):.3f}% {100 * row / max(1, rows - 1):.3f}%"


def _cell(name: str, change: float | None, most: float, at: str) -> str:
    if change is None:
        return f"<li title='{name}: removed'><span class='map gone' style='background-image:none'></span></li>"
    color = KEPT if change > 0 else REMOVED
    width = 100 * min(1.0, abs(change) / most) ** 0.5
    return (
        f"<li title='{name}: {signed(change)} nats'><span class='map' style='background-position:{at}'></span>"
        f"<span class='effect'><i style='width:{width:.0f}%;background:{color}'></i></span></li>"
    )


def matter_said(units: Units, found: ImageEffects, target: str) -> str:
    """Sentences on the unit that matters most, and on how many do nothing."""
    left = ~found.changes.isinf()
    changes = found.changes.where(left, 0.0)
    unit = int(changes.abs().argmax())
    layer, channel = units.labels[unit]
    little, hurting = int((changes.abs() < LITTLE)[left].sum()), int((changes <= -LITTLE).sum())
    verb = "rises" if changes[unit] > 0 else "falls"
    lower = f", and without {hurting:,} it would be lower" if hurting else ""
    alone = " The answer rests on no single unit." if little == int(left.sum()) else ""
    how = "each measured with its gate closed" if found.exact else "to first order, not measured"
    return (
        f"Without {layer}, channel {channel}, alone, the loss of this picture as {target} {verb} from {found.loss:.2g} "
        f"to {found.loss + float(changes[unit]):.2g} nats. {little:,} of the {int(left.sum()):,} units left change it "
        f"by less than {LITTLE:g}{lower} ({how}).{alone}"
    )
