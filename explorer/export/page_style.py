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
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(340px, 1fr)); gap: 12px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 5px 12px 5px 0; border-bottom: 1px solid var(--rule); vertical-align: top;
  overflow-wrap: anywhere; }
th { color: var(--soft); font-weight: 500; } .bad { color: var(--gone); font-weight: 600; }
pre { background: var(--box); padding: 10px 14px; border-radius: 6px; overflow-x: auto; font-size: 13px;
  margin: 4px 0 16px; }
svg { width: 100%; height: auto; } svg text { fill: var(--soft); font-size: 11px; }
svg .title { fill: var(--ink); font-size: 13px; } .end { text-anchor: end; } .middle { text-anchor: middle; }
.grid { stroke: var(--rule); } .line { fill: none; stroke: var(--kept); stroke-width: 2; }
.after { fill: var(--kept); stroke: var(--kept); }
.before { fill: var(--ground); stroke: var(--kept); stroke-width: 2; }
.kept { fill: var(--kept); } .gone { fill: var(--gone); opacity: 0.35; }
"""
