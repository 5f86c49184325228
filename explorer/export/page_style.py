"""How the report looks; its colours are `explorer.core.palette.page_variables`."""

from __future__ import annotations

STYLE = """
body { margin: 0 auto; max-width: 960px; padding: 28px 20px 60px; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 26px; margin: 0 0 4px; overflow-wrap: anywhere; } h2 { font-size: 18px; margin: 36px 0 8px; }
p, figcaption { color: var(--muted); margin: 4px 0 10px; } figure { margin: 0; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(340px, 100%), 1fr)); gap: 12px; }
.wide { overflow-x: auto; } summary { cursor: pointer; color: var(--link); padding: 4px 0 8px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 5px 12px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td:last-child, .bars td:first-child { overflow-wrap: anywhere; min-width: 11ch; } th { white-space: nowrap; }
details td:nth-child(2) { min-width: 20ch; }
th { color: var(--muted); font-weight: 500; } .bad { color: var(--removed); font-weight: 600; }
pre { background: var(--box); padding: 10px 14px; border-radius: 6px; overflow-x: auto; font-size: 13px;
  margin: 4px 0 16px; }
svg { width: 100%; height: auto; } svg text { fill: var(--muted); font-size: 11px; }
svg .title { fill: var(--ink); font-size: 13px; } .end { text-anchor: end; } .middle { text-anchor: middle; }
.grid { stroke: var(--line); } .line { fill: none; stroke: var(--kept); stroke-width: 2; }
.after { fill: var(--kept); stroke: var(--kept); }
.before { fill: var(--ground); stroke: var(--kept); } .line, .marks { pointer-events: none; }
.column { fill: transparent; } .column:hover { fill: var(--line); }
.bars td { border: 0; padding: 2px 10px 2px 0; line-height: 16px; font-size: 13px; color: var(--muted); }
.bars td:nth-child(2) { width: 70%; } .bars td:last-child { white-space: nowrap; padding: 2px 0; }
.bars div { height: 12px; margin-top: 2px; } .kept { background: var(--kept); margin: 0 !important; }
.gone { background: color-mix(in srgb, var(--removed) 35%, transparent); }
"""
