"""How the report looks, in light and in dark."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light dark; --ink: #1c2733; --soft: #5d6875; --rule: #d9dee3; --ground: #fff; --box: #f4f6f8;
  --kept: #0072b2; --gone: #d55e00; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8ecf0; --soft: #9aa5b1; --rule: #38424d; --ground: #12171d; --box: #1b222a; --kept: #56b4e9;
    --gone: #e69f00; } }
body { margin: 0 auto; max-width: 960px; padding: 28px 20px 60px; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 26px; margin: 0 0 4px; overflow-wrap: anywhere; } h2 { font-size: 18px; margin: 36px 0 8px; }
p, figcaption { color: var(--soft); margin: 4px 0 10px; } figure { margin: 0; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(340px, 100%), 1fr)); gap: 12px; }
.wide { overflow-x: auto; } summary { cursor: pointer; color: var(--kept); padding: 4px 0 8px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 5px 12px 5px 0; border-bottom: 1px solid var(--rule); vertical-align: top; }
td:last-child, .bars td:first-child { overflow-wrap: anywhere; min-width: 11ch; } th { white-space: nowrap; }
details td:nth-child(2) { min-width: 20ch; }
th { color: var(--soft); font-weight: 500; } .bad { color: var(--gone); font-weight: 600; }
pre { background: var(--box); padding: 10px 14px; border-radius: 6px; overflow-x: auto; font-size: 13px;
  margin: 4px 0 16px; }
svg { width: 100%; height: auto; } svg text { fill: var(--soft); font-size: 11px; }
svg .title { fill: var(--ink); font-size: 13px; } .end { text-anchor: end; } .middle { text-anchor: middle; }
.grid { stroke: var(--rule); } .line { fill: none; stroke: var(--kept); stroke-width: 2; }
.after { fill: var(--kept); stroke: var(--kept); }
.before { fill: var(--ground); stroke: var(--kept); } .line, .marks { pointer-events: none; }
.column { fill: transparent; } .column:hover { fill: var(--rule); }
.bars td { border: 0; padding: 2px 10px 2px 0; line-height: 16px; font-size: 13px; color: var(--soft); }
.bars td:nth-child(2) { width: 70%; } .bars td:last-child { white-space: nowrap; padding: 2px 0; }
.bars div { height: 12px; margin-top: 2px; } .kept { background: var(--kept); margin: 0 !important; }
.gone { background: color-mix(in srgb, var(--gone) 35%, transparent); }
"""
