"""The app as it is served beyond this computer: the same script as main.py, behind a guard."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from explorer.ui.serving.guard import Guard
from explorer.ui.work.visitors import token

app = st.App(Path(__file__).with_name("main.py"), middleware=[Middleware(Guard, token=token())])
