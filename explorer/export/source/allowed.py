"""The syntax that a model.py may hold. Its tree is walked before it is written; whatever is not listed here ends it.

The file's own parts, which no network changes, are compared whole. The rest is imports from a list, constants, and
classes whose two methods assign, call and return: layers and operations of the tables, and what lies in `self`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from explorer.core.errors import BadInput
from explorer.networks.graph.module_types import MODULES
from explorer.networks.graph.operations import ATTRIBUTES, FUNCTIONS, METHODS
from explorer.networks.graph.values import DTYPES, MEMORY_FORMATS

IMPORTS = {
    *("from __future__ import annotations", "import json", "import operator", "from collections import OrderedDict"),
    *("from pathlib import Path", "import torch", "from torch import Tensor, nn"),
    "from torch.nn import functional as F",
}
BASES = (["nn.Module"], ["nn.Sequential"])
ANNOTATIONS = {"int", "float", "bool", "str", "object", "tuple[int, ...]", "torch.dtype", "Tensor", "None", "dict"}
CALLED = frozenset({"fixed", "float", "getattr", "slice", "super", "OrderedDict"})  # by their bare names
ROOTS = frozenset({"torch", "nn", "F", "operator"})
SETTERS = frozenset({"register_buffer", "register_parameter", "add_module", "get_submodule"})  # of nn.Module
RESERVED = CALLED | ROOTS | {"self", "Tensor", "Path", "WEIGHTS", "CLASSES", "MEAN", "STD", "DTYPES", "json"}
OF_MODULES = frozenset(dir(nn.Module()))
DOTTED = frozenset(
    {
        *(name.replace("torch.nn.functional.", "F.") for name in FUNCTIONS),
        *(f"torch.{name}" for name in (*DTYPES, *MEMORY_FORMATS, "empty")),
        *(f"nn.{name}" for name in (*MODULES, "Sequential", "ModuleList", "ModuleDict", "Parameter")),
    }
)
PLAIN = (
    *(ast.Assign, ast.Return, ast.Expr, ast.Tuple, ast.List, ast.Load, ast.Store, ast.Slice, ast.Subscript),
    *(ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Pow, ast.MatMult, ast.UnaryOp, ast.USub),
)


@dataclass(frozen=True)
class _Scope:
    """The names that a method may read: its own, and the file's classes."""

    own: frozenset[str]
    classes: frozenset[str]


def check(source: str, own: str = "") -> None:
    """Raise BadInput unless a file holds nothing but what is listed here, and the statements of `own` as they are."""
    whole = {ast.dump(node) for node in ast.parse(own).body}
    tree = _parsed(source)
    classes = frozenset(node.name for node in tree.body if isinstance(node, ast.ClassDef))
    _require(not classes & RESERVED, tree)
    for place, node in enumerate(tree.body):
        docstring = place == 0 and _is_text(node)
        if not docstring and ast.dump(node) not in whole:
            _require(type(node) in _STATEMENTS, node)
            _STATEMENTS[type(node)](node, classes)


def _parsed(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise BadInput("This network can't be written as model.py: it would be no valid Python.") from error


def _require(holds: bool, node: ast.AST) -> None:
    if not holds:
        where = f"line {getattr(node, 'lineno', 1)} would hold a {type(node).__name__} that is not in the list"
        raise BadInput(f"This network can't be written as model.py: {where} of what such a file may hold.")


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _import(node: ast.AST, _: frozenset[str]) -> None:
    _require(ast.unparse(node) in IMPORTS, node)


def _constants(node: Any, _: frozenset[str]) -> None:
    """CLASSES or MEAN and STD: literals of text and numbers."""
    _require([ast.unparse(target) for target in node.targets] in (["CLASSES"], ["(MEAN, STD)"]), node)
    for part in ast.walk(node.value):
        _require(isinstance(part, (ast.Tuple, ast.Constant, ast.UnaryOp, ast.USub, ast.Load)), part)


def _class(node: Any, classes: frozenset[str]) -> None:
    extra = (node.keywords, node.decorator_list, getattr(node, "type_params", None))
    plain = not any(extra) and _is_word(node.name)
    _require(plain and [ast.unparse(base) for base in node.bases] in BASES, node)
    for place, inner in enumerate(node.body):
        if not (place == 0 and _is_text(inner)):
            _require(isinstance(inner, ast.FunctionDef) and inner.name in ("__init__", "forward"), inner)
            _method(inner, classes)


_STATEMENTS: Mapping[type, Callable[[Any, frozenset[str]], None]] = {
    ast.Import: _import,
    ast.ImportFrom: _import,
    ast.Assign: _constants,
    ast.ClassDef: _class,
}


def _method(node: Any, classes: frozenset[str]) -> None:
    """A method without defaults and decorators; its annotations are never evaluated, and still of a list."""
    given = node.args
    unusual = (given.posonlyargs, given.kwonlyargs, given.defaults, given.vararg, given.kwarg)
    extra = (*unusual, node.decorator_list, getattr(node, "type_params", None))
    _require(bool(given.args) and not any(extra) and given.args[0].arg == "self", node)
    for annotation in (node.returns, *(each.annotation for each in given.args[1:])):
        _require(annotation is not None and ast.unparse(annotation) in ANNOTATIONS, node)
    written = {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
    names = {each.arg for each in given.args[1:]} | written
    _require(not names & RESERVED and all(map(_is_word, names)), node)
    for statement in node.body:
        _walk(statement, _Scope(frozenset(names), classes))


def _walk(node: ast.AST, scope: _Scope) -> None:
    children: Iterator[ast.AST] = ast.iter_child_nodes(node)
    if isinstance(node, ast.Call):
        children = _called(node, scope)
    elif isinstance(node, ast.Attribute):
        children = _reached(node)
    elif isinstance(node, ast.Name):
        _require(node.id in scope.own or node.id == "self", node)
    elif isinstance(node, ast.Constant):
        _require(node.value is None or isinstance(node.value, (bool, int, float, str, type(...))), node)
    elif isinstance(node, ast.Dict):
        _require(all(isinstance(key, ast.Constant) for key in node.keys), node)
    else:
        _require(isinstance(node, PLAIN), node)
    for child in children:
        _walk(child, scope)


def _called(node: ast.Call, scope: _Scope) -> Iterator[ast.AST]:
    """The parts left to walk of a call whose function may be called, by its bare name or where it lies."""
    _require(all(keyword.arg is not None for keyword in node.keywords), node)
    if isinstance(node.func, ast.Name):
        _require(node.func.id in CALLED | scope.classes, node)
        _require(node.func.id != "getattr" or _is_fetch(node), node)
    elif ast.unparse(node.func) != "super().__init__":
        yield node.func
    yield from node.args
    yield from (keyword.value for keyword in node.keywords)


def _is_fetch(node: ast.Call) -> bool:
    """Whether this is getattr(self, "name") for a name that nn.Module has no use for."""
    name = node.args[1] if len(node.args) == 2 else None
    text = name.value if isinstance(name, ast.Constant) else None
    return isinstance(text, str) and _is_word(text) and text not in OF_MODULES and _is_own(node.args[0])


def _reached(node: ast.Attribute) -> Iterator[ast.AST]:
    """The parts left to walk of a dotted name: nothing of torch's own, else the value it is read from."""
    text = ast.unparse(node)
    read = isinstance(node.ctx, ast.Load)
    if text.partition(".")[0] in ROOTS and isinstance(node.value, (ast.Name, ast.Attribute)):
        _require(text in DOTTED and read, node)
        return
    own = _is_own(node.value) and _is_word(node.attr) and node.attr not in OF_MODULES
    _require(own or (read and node.attr in {*METHODS, *ATTRIBUTES, *SETTERS}), node)
    yield node.value


def _is_own(node: ast.AST) -> bool:
    """Whether something lies in `self`: behind dots, in brackets, or fetched by a name that can't stand behind dots."""
    if isinstance(node, ast.Call):
        return ast.unparse(node.func) == "getattr" or (
            isinstance(node.func, ast.Attribute) and node.func.attr == "get_submodule"
        )
    if isinstance(node, (ast.Attribute, ast.Subscript)):
        return _is_own(node.value)
    return isinstance(node, ast.Name) and node.id == "self"


def _is_word(name: str) -> bool:
    return not name.startswith("__")
