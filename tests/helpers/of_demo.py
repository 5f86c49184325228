"""The demo's own numbers: tests hold for whatever network ships."""

from __future__ import annotations

from explorer import open_network

DEMO = open_network("demo")
WIDTHS = [len(layer) for layer in DEMO.units.layers]
UNITS = sum(WIDTHS)
PARAMETERS = sum(weight.numel() for weight in DEMO.module.parameters())
