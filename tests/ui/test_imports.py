"""What sessions find imported, however many begin at once."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import _plotly_utils
import plotly

from explorer.ui.frame import imports

LOOKED_UP = re.compile(r"""get_module\(\s*["']([\w.]+)["'],\s*should_load=False""")
SESSION = """
import importlib.abc, importlib.machinery, sys, threading
from streamlit.testing.v1 import AppTest
from explorer.ui.frame import imports, main

half, asked, go = threading.Event(), threading.Event(), threading.Event()

class Stall(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "pandas.core":  # stopped where it is run: while it is looked for, nobody can import anything
            spec = importlib.machinery.PathFinder.find_spec(name, path)
            run = spec.loader.exec_module
            spec.loader.exec_module = lambda module: (half.set(), go.wait(60), run(module))
            return spec

def wait_for(*names, real=imports.wait_for):
    asked.set()
    real(*names)

def session():
    try:
        found.append(AppTest.from_string("from explorer.ui.frame.main import main; main()", default_timeout=60).run())
    finally:
        asked.set()

assert "pandas" not in sys.modules
sys.meta_path.insert(0, Stall())
threading.Thread(target=imports.wait_for, args=imports.FIGURES).start()
assert half.wait(60) and "pandas" in sys.modules
imports.wait_for, main._draw, found = wait_for, lambda name: None, []
thread = threading.Thread(target=session)
thread.start()
assert asked.wait(60)
go.set()
thread.join()
assert not found[0].exception, found[0].exception[0]
"""

START = """
import sys
from explorer.cli import app
from explorer.ui.frame import imports

def second_thread(**options):
    lacking = [name for name in imports.FIGURES if name not in sys.modules]
    sys.exit(f"not there: {lacking}" if lacking else 0)

app.threading.Thread = second_thread
app._serve([], "", True)
"""


def test_all_that_plotly_looks_up_is_imported_before_a_figure_is_drawn() -> None:
    folders = [Path(package.__file__).parent for package in (plotly, _plotly_utils)]
    sources = [path.read_text(encoding="utf-8") for folder in folders for path in folder.rglob("*.py")]
    names = {name for source in sources for name in LOOKED_UP.findall(source)}
    assert {"numpy", "pandas", "PIL.Image"} <= names
    assert {name for name in names if find_spec(name.partition(".")[0])} <= set(imports.FIGURES)


def test_a_session_that_begins_while_pandas_is_half_imported_waits_until_it_is_whole() -> None:
    done = subprocess.run([sys.executable, "-c", SESSION], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def test_the_command_begins_no_second_thread_before_they_are_there() -> None:
    done = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
