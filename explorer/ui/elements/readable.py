"""Readable: the style that keeps every text at a contrast of 4.5:1 or more, shows where the keys are, and is zoomed."""

from __future__ import annotations

import streamlit as st

from explorer.core.palette import FAINT, app_variables

MAIN_PART = "main-part"  # where a page's main handle or picture begins
SKIP = f'<a class="skip" href="#{MAIN_PART}" tabindex="1">Skip to the main part of the page</a>'
# Streamlit writes captions, and plotly with its theme the ticks and titles of axes, fainter than that in light; on
# buttons and chosen options it writes white on the primary colour, which in dark is a light one. A text is muted by its
# colour, never by opacity: what opens above it would be see-through too.
READABLE = f"""
<style>
:root {{ {app_variables()} }}
[data-testid="stCaptionContainer"] {{ opacity: 1; color: var(--muted); }}
[data-testid="stExpandSidebarButton"] *, [data-testid="stWidgetLabel"] * {{ color: var(--ink); }}
.js-plotly-plot text[style*="fill: {FAINT}"] {{ fill: var(--muted) !important; }}
[data-testid="stBaseButton-primary"]:not(:disabled), [data-tag] * {{ color: var(--ground) !important; }}
[data-testid="stSidebarNavLink"]:focus-visible, [data-testid="stTopNavLink"]:focus-visible, dfn.term:focus-visible {{
  outline: 2px solid var(--primary); outline-offset: 2px; }}
.skip:not(:focus), .page-name {{ position: absolute; width: 1px; height: 1px; overflow: hidden;
  clip-path: inset(50%); }}
.skip:focus {{ position: fixed; top: 0.6rem; left: 0.6rem; z-index: 1000001; padding: 0.4rem 0.8rem;
  border-radius: 0.4rem; background: var(--primary); color: var(--ground) !important; }}
[data-testid="stElementContainer"]:has(.skip, #{MAIN_PART}) {{ position: absolute; }}
#{MAIN_PART} {{ scroll-margin-top: 5rem; }}
@media (min-width: 641px) {{
  [data-testid="stHorizontalBlock"]:has(> [data-testid="stColumn"] .st-key-undo) {{ flex-wrap: nowrap; }}
  [data-testid="stColumn"]:has(.st-key-undo) {{ min-width: 9.6rem; }}
}}
@media (max-width: 768px) {{
  .state-bar .page-name {{ position: static; width: auto; height: auto; clip-path: none; margin: 0; padding: 0;
    font-size: 1.05rem; font-weight: 700; line-height: 1.4; }}
  .state-bar {{ column-gap: 1.1rem; }}
}}
</style>
"""


def readable() -> None:
    """Draw the style and the link, in the theme that the browser has: dialogs, which lie beside the app, don't tell."""
    st.html(f"<style>:root {{ color-scheme: {st.context.theme.type or 'light dark'}; }}</style>{READABLE}{SKIP}")


def main_part() -> None:
    """Here begins what a page is about: the link at its top leads here those who use the keys."""
    st.html(f'<span id="{MAIN_PART}" tabindex="-1"></span>')
