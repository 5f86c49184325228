"""Contrast of two colours, and of all text that a browser shows."""

from __future__ import annotations

from typing import Any

LEAST = 4.5  # WCAG 2, level AA, text of the usual size

# Every text that is seen and not of a control that is off: its first words, its colour over what lies below it, and
# that ground, as #RRGGBB. Figures' marks with a number on them are tested as figures.
TEXTS = """() => {
    const dot = document.createElement("canvas").getContext("2d", {willReadFrequently: true}), known = {};
    const rgba = color => known[color] ??= (() => {
        dot.clearRect(0, 0, 1, 1); dot.fillStyle = color; dot.fillRect(0, 0, 1, 1);
        const [r, g, b, a] = dot.getImageData(0, 0, 1, 1).data;
        return [r, g, b, a / 255];
    })();
    const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3]));
    const parent = node => node.parentElement ?? node.getRootNode().host ?? null;
    const hex = color => "#" + color.map(each => Math.round(each).toString(16).padStart(2, "0")).join("");
    const ground = (node, alpha) => {
        if (!node) return [255, 255, 255];
        const style = getComputedStyle(node), [r, g, b, a] = rgba(style.backgroundColor);
        return over([r, g, b, a * alpha], a * alpha === 1 ? [0, 0, 0] : ground(parent(node), alpha));
    };
    const off = node => node && (node.matches(":disabled, [aria-disabled=true], [inert]") || off(parent(node)));
    const found = [];
    const read = text => {
        const node = text.parentElement, box = document.createRange();
        box.selectNodeContents(text);
        const size = box.getBoundingClientRect();
        const seen = node.checkVisibility({visibilityProperty: true, opacityProperty: true});
        if (!text.data.trim() || !seen || size.width <= 1 || size.height <= 1 || off(node)) return;
        if (node.closest("style, script, .heatmap-label, .bartext, .textpoint")) return;
        const style = getComputedStyle(node), svg = node instanceof SVGElement;
        const [r, g, b, a] = rgba(svg ? style.fill : style.color);
        let alpha = a * (svg ? Number(style.fillOpacity) : 1);
        for (let each = node; each; each = parent(each)) alpha *= Number(getComputedStyle(each).opacity);
        const below = ground(node, 1);
        found.push([text.data.trim().slice(0, 40), hex(over([r, g, b, alpha], below)), hex(below)]);
    };
    const walk = root => {
        for (const node of root.childNodes) {
            if (node.nodeType === Node.TEXT_NODE) read(node);
            else if (node.nodeType === Node.ELEMENT_NODE) { walk(node); if (node.shadowRoot) walk(node.shadowRoot); }
        }
    };
    walk(document.body);
    return found;
}"""


def luminance(color: str) -> float:
    """Relative luminance of #RRGGBB (WCAG 2)."""
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    """1 (the same) to 21 (black on white), WCAG 2."""
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def faint(tab: Any) -> list[str]:
    """Texts of a page in a browser that are hard to read, each with its contrast, the faintest first."""
    texts = tab.evaluate(TEXTS)
    assert len(texts) > 20
    found = {(round(contrast(color, ground), 1), text, color, ground) for text, color, ground in texts}
    return [f"{ratio}: {text!r}, {color} on {ground}" for ratio, text, color, ground in sorted(found) if ratio < LEAST]
