"""The layout of the project: what may import what, and what lies where. Everything is read, nothing is run."""

from __future__ import annotations

import ast
import re
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# From the ground up: a room stands on those before it, and knows nothing of those after it.
ROOMS = [
    "core",
    "confined",
    "data",
    "networks",
    "evaluation",
    "scoring",
    "training",
    "pruning",
    "runs",
    "export",
    "speed",
    "study",
    "upkeep",
    "figures",
    "jobs",
    "ui",
    "cli",
]
FOR_FIGURES = {"explorer.core.errors", "explorer.core.palette", "explorer.core.text"}  # what they know of the engine
TOP_LEVEL = {"pyproject.toml", "app.py", "explorer", "assets", "tests", "README.md", "LICENSE"}
MAX_LINES = 300  # of a file: a lower bound is met by packing lines, not by better rooms
MAX_FUNCTION = 60
MAX_PARAMETERS = 6  # what belongs together comes as one value


@cache
def modules() -> dict[str, Path]:
    """Dotted name -> file, of everything in the package."""
    return {_dotted(path): path for path in sorted((ROOT / "explorer").rglob("*.py"))}


def _dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree(name: str) -> ast.Module:
    return ast.parse(modules()[name].read_text(encoding="utf-8"))


def imported(name: str, nodes: Iterable[ast.AST]) -> set[str]:
    """Dotted names that these statements of a module import; `from a import b` counts as a.b where that is a module."""
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{name} has a relative import"
            found |= {_target(str(node.module), alias.name) for alias in node.names}
    return found


def _target(module: str, name: str) -> str:
    return f"{module}.{name}" if f"{module}.{name}" in modules() else module


def anywhere(name: str) -> set[str]:
    return imported(name, ast.walk(tree(name)))


def at_module_level(name: str) -> set[str]:
    """What importing the module imports: functions are not entered, nor what only type checkers read."""
    return imported(name, _executed(tree(name).body))


def _executed(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            yield from _executed(node.orelse)
            continue
        yield node
        for part in ("body", "orelse", "finalbody"):
            yield from _executed(getattr(node, part, []))


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def importers(library: str) -> set[str]:
    return {name for name in modules() if any(within(found, library) for found in anywhere(name))}


def test_only_the_pages_and_the_command_that_starts_them_import_streamlit() -> None:
    found = importers("streamlit")
    assert "explorer.ui.frame.main" in found
    assert {name for name in found if not within(name, "explorer.ui")} <= {"explorer.cli.app"}


def test_only_figures_and_pages_import_plotly() -> None:
    found = importers("plotly")
    assert any(within(name, "explorer.figures") for name in found)
    assert [name for name in found if not within(name, "explorer.figures", "explorer.ui")] == []


def test_figures_know_values_and_not_how_they_come_about() -> None:
    for name in modules():
        if within(name, "explorer.figures"):
            own = {found for found in anywhere(name) if within(found, "explorer")}
            assert {found for found in own if not within(found, "explorer.figures")} <= FOR_FIGURES, name


def test_nothing_below_the_pages_imports_them() -> None:
    allowed = ("explorer.ui", "explorer.cli")
    assert [name for name in importers("explorer.ui") if not within(name, *allowed)] == []
    assert [name for name in importers("explorer.cli") if not within(name, "explorer.cli")] == ["explorer.__main__"]


def test_the_engine_imports_neither_figures_nor_pages() -> None:
    upper = ("explorer.figures", "explorer.ui", "explorer.cli")
    for name in modules():
        if not within(name, *upper, "explorer.__main__"):
            assert [found for found in anywhere(name) if within(found, *upper)] == [], name


def cycles(edges: Mapping[str, set[str]]) -> list[set[str]]:
    """Strongly connected components of more than one node: each node with all that reach it and that it reaches."""
    reach = {node: _reachable(node, edges) for node in edges}
    found = {frozenset(n for n in edges if n in reach[node] and node in reach[n]) for node in edges}
    return [set(component) for component in found if component]


def _reachable(start: str, edges: Mapping[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        new = edges.get(waiting.pop(), set()) - seen
        seen |= new
        waiting += new
    return seen


def test_cycles_are_found() -> None:
    assert cycles({"a": {"b"}, "b": {"c"}, "c": set()}) == []
    assert cycles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == [{"b", "c"}]
    assert cycles({"a": {"a"}}) == [{"a"}]


def test_modules_import_each_other_in_one_direction() -> None:
    edges = {name: {found for found in at_module_level(name) if found in modules()} - {name} for name in modules()}
    assert cycles(edges) == []


def room(name: str) -> str:
    """The room of a module: explorer.scoring.oracle.program -> scoring; "" for the package itself."""
    return f"{name}.".split(".")[1]


def test_every_module_lies_in_a_room() -> None:
    assert {room(name) for name in modules()} - {"", "__main__"} == set(ROOMS)
    assert {path.name for path in (ROOT / "explorer").glob("*.py")} == {"__init__.py", "__main__.py"}


@pytest.mark.parametrize("name", modules())
def test_a_room_knows_only_those_below_it(name: str) -> None:
    if (here := room(name)) in ROOMS:
        above = ROOMS[ROOMS.index(here) + 1 :]
        assert [found for found in anywhere(name) if within(found, "explorer") and room(found) in above] == []


def test_pages_do_not_import_each_other() -> None:
    pages = [name for name in modules() if within(name, "explorer.ui.pages") and name.count(".") >= 3]
    assert len(pages) > 7
    for name in pages:
        own = ".".join(name.split(".")[:4])
        assert [found for found in anywhere(name) if found in pages and not within(found, own)] == [], name


def packages() -> list[str]:
    """Every folder of modules, the whole package too."""
    return [name for name, path in modules().items() if path.name == "__init__.py"]


def child(package: str, name: str) -> str:
    """What holds a module directly in a package: of explorer.scoring, explorer.scoring.oracle.program -> oracle."""
    return name.removeprefix(f"{package}.").split(".")[0]


@pytest.mark.parametrize("package", packages())
def test_what_lies_in_a_room_imports_each_other_in_one_direction(package: str) -> None:
    inside = [name for name in modules() if within(name, package) and name != package]
    edges: dict[str, set[str]] = {child(package, name): set() for name in inside}
    for name in inside:
        targets = {child(package, found) for found in at_module_level(name) if found in inside}
        edges[child(package, name)] |= targets - {child(package, name)}
    assert cycles(edges) == []


@pytest.mark.parametrize("package", packages())
def test_every_room_says_in_one_sentence_what_comes_in_and_what_goes_out(package: str) -> None:
    said = (ast.get_docstring(tree(package)) or "").split("\n")[0]
    assert package == "explorer" or re.match(r"[A-Z][a-z ]+: in comes? .*, out .*\.$", said), said


def test_the_readme_shows_the_rooms_in_their_order() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    said = [(ast.get_docstring(tree(f"explorer.{name}")) or "").split("\n")[0].split(": ", 1)[1] for name in ROOMS]
    assert "\n".join(f"    {name + '/':<13}{line}" for name, line in zip(ROOMS, said, strict=True)) in readme


@pytest.mark.parametrize("name", modules())
def test_every_module_says_what_it_is_for(name: str) -> None:
    assert ast.get_docstring(tree(name))


@pytest.mark.parametrize("name", modules())
def test_no_file_is_long(name: str) -> None:
    assert len(modules()[name].read_text(encoding="utf-8").splitlines()) <= MAX_LINES


@pytest.mark.parametrize("name", modules())
def test_no_function_is_long(name: str) -> None:
    functions = [each for each in ast.walk(tree(name)) if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert [each.name for each in functions if (each.end_lineno or 0) - each.lineno >= MAX_FUNCTION] == []


@pytest.mark.parametrize("name", modules())
def test_no_function_takes_many_parameters(name: str) -> None:
    functions = [each for each in ast.walk(tree(name)) if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
    found = {
        each.name: [a.arg for a in (*each.args.posonlyargs, *each.args.args, *each.args.kwonlyargs)]
        for each in functions
        if "click" not in ast.dump(ast.Module(each.decorator_list, []))
    }
    assert [each for each, names in found.items() if len(set(names) - {"self", "cls"}) > MAX_PARAMETERS] == []


def test_the_formatter_has_its_way() -> None:
    skipped = re.compile(r"# *fmt: *(?:skip|off)")
    assert [name for name, path in modules().items() if skipped.search(path.read_text(encoding="utf-8"))] == []


def test_no_two_widgets_share_a_key() -> None:
    texts = (path.read_text(encoding="utf-8") for name, path in modules().items() if name.startswith("explorer.ui."))
    keys = Counter(key for text in texts for key in re.findall(r'key="([^"]+)"', text))
    assert [key for key, places in keys.items() if places > 1] == []  # pages share the values of their widgets


def test_test_files_have_names_of_their_own() -> None:
    names = Counter(path.name for path in (ROOT / "tests").rglob("*.py"))
    assert [name for name, files in names.items() if files > 1 and name != "conftest.py"] == []


def test_the_top_level_holds_nothing_else() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("needs a git checkout")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = {line.split("/")[0] for line in listed.splitlines()}
    assert {name for name in found if not name.startswith(".")} <= TOP_LEVEL


def test_the_package_ships_the_settings_of_the_checkout() -> None:
    root, packaged = (folder / ".streamlit" / "config.toml" for folder in (ROOT, ROOT / "explorer" / "ui" / "frame"))
    assert packaged.read_bytes() == root.read_bytes()


def test_no_script_of_the_app_lies_beside_a_folder_that_streamlit_takes_for_its_pages() -> None:
    scripts = (ROOT / "app.py", modules()["explorer.ui.frame.main"], modules()["explorer.ui.frame.guarded"])
    assert [script for script in scripts if (script.parent / "pages").exists()] == []


def test_no_two_public_classes_share_a_name() -> None:
    """A reader who meets `Point` should not have to ask which of three it is."""
    names = Counter(
        node.name
        for name in modules()
        for node in tree(name).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert [name for name, times in names.items() if times > 1] == []
