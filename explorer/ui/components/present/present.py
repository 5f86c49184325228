"""The presenter's view of any page: nothing is drawn anew, the browser lifts one picture after the other.

The address says so: `view=present`, and which one: `picture=N`. P begins where no field has the focus; then arrow keys
walk, F fills the screen and Esc leaves. Keys inside of the picture that is shown belong to it.
"""

from __future__ import annotations

from explorer.ui.components.component import component

_component = component(__file__)

# What is shown stays where it is in the page, so that it goes on working: all else is invisible, and it is fixed and
# scaled; a figure of plotly from within, as it takes its size from what it lies in, as that is seen. The panel lies
# beside the app, and has the words.
STYLE = """
<style>
.st-key-present { position: fixed; top: 0.75rem; right: 1rem; z-index: 999991; width: auto; }
body.presenting { background: var(--ground); --sticky-top: 0px; }
body.presenting #root :not([data-presented], [data-presented] *) { visibility: hidden !important; }
body.presenting [data-presented] { visibility: visible; position: fixed !important; z-index: 1; box-sizing: border-box;
  left: 4vw; top: var(--present-top); width: 92vw !important; height: var(--present-height) !important;
  max-width: none !important; min-height: 0; margin: 0; padding: 2px; overflow: auto !important; display: block; }
body.presenting [data-presented] > * { width: var(--present-width) !important;
  height: var(--present-tall) !important; }
body.presenting [data-presented]:not(:has(.js-plotly-plot)) > *, body.presenting [data-presented] .js-plotly-plot {
  transform-origin: 0 0;
  transform: translate(var(--present-left), var(--present-down)) scale(var(--present-scale)); }
#presenter { position: fixed; inset: 0; z-index: 2; pointer-events: none; display: flex; flex-direction: column;
  justify-content: space-between; padding: 2.5vh 4vw; box-sizing: border-box; color: var(--ink); outline: none; }
#presenter h2 { margin: 0; padding: 0; font-size: clamp(1.4rem, 3.2vw, 2.8rem); line-height: 1.2; font-weight: 650; }
#presenter p { margin: 0 0 0.6em; font-size: clamp(1.15rem, 1.75vw, 1.75rem); line-height: 1.35; max-height: 27vh;
  overflow: auto; pointer-events: auto; }
#presenter nav { display: flex; flex-wrap: wrap; gap: 0.4rem 0.6rem; align-items: center; pointer-events: auto; }
#presenter nav span { margin-right: auto; color: var(--muted); font-variant-numeric: tabular-nums; }
#presenter button { font: inherit; color: inherit; background: var(--ground); border: 1px solid var(--line);
  border-radius: 0.4rem; padding: 0.25rem 0.8rem; min-height: 2.2rem; cursor: pointer; }
#presenter button:hover { border-color: currentColor; }
#presenter button:focus-visible { outline: 3px solid var(--primary); outline-offset: 2px; }
</style>
"""


def presenter() -> None:
    """The button, and what it begins."""
    _component(key="present")
