"""The package as others import it: typed functions with examples that run, none of which loads torch before a call."""

from __future__ import annotations

import doctest
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from own_code import importable

import explorer
from explorer.core.errors import BadInput

PACKAGE = Path(explorer.__file__).parent
PUBLIC = [name for name in explorer.__all__ if name != "__version__"]


def modules_with_examples() -> list[str]:
    """Dotted names of all modules of the package that have a doctest."""
    files = (path for path in sorted(PACKAGE.rglob("*.py")) if ">>>" in path.read_text(encoding="utf-8"))
    parts = (path.relative_to(PACKAGE.parent).with_suffix("").parts for path in files)
    return [".".join(part for part in each if part != "__init__") for each in parts]


@pytest.mark.parametrize("name", modules_with_examples())
def test_examples_in_docstrings_say_what_comes_out(name: str) -> None:
    found = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert found.attempted and not found.failed


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_function_has_an_example_and_says_its_types(name: str) -> None:
    function = getattr(explorer, name)
    assert ">>> " in function.__doc__
    signature = inspect.signature(function)
    assert all(value.annotation is not inspect.Parameter.empty for value in signature.parameters.values())
    assert signature.return_annotation is not inspect.Signature.empty
    assert (PACKAGE / "py.typed").is_file()  # without it, type checkers take none of this from an installed package


def test_no_room_hides_a_public_function() -> None:
    """Importing explorer.NAME sets the attribute NAME of the package: a function of that name would be gone."""
    assert [name for name in PUBLIC if (PACKAGE / name).exists()] == []


def test_an_unknown_criterion_is_refused_in_a_sentence() -> None:
    with pytest.raises(BadInput, match="Unknown criterion 'talyor'; known are taylor, "):
        explorer.score(explorer.open_network("demo"), "demo", "talyor")


def test_one_s_own_criterion_values_units_as_it_says(tmp_path: Path) -> None:
    code = "def opposite(seen):\n    return -seen.mean.mean(0)\n"
    with importable(tmp_path, "facade_criteria", code):
        network = explorer.open_network("demo")
        own = explorer.score(network, "demo", "facade_criteria:opposite", limit=4)
    assert torch.equal(own, -explorer.score(network, "demo", "activation_mean", limit=4))


def test_importing_the_package_does_not_wait_for_torch() -> None:
    code = "import sys, explorer; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_package_can_be_run_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "explorer", "--version"], capture_output=True, text=True, check=True, cwd=PACKAGE.parent
    )
    assert done.stdout == f"pruning-explorer {explorer.__version__}\n"
