"""Tracing with torch.fx in a process whose other threads run networks meanwhile, and why it fails, told for people.

torch.fx replaces `nn.Module.__call__` and `__getattr__` for everyone while it traces. Here whatever another thread
calls goes through untouched, and only one trace runs at a time, since two would restore each other's replacements.
"""

from __future__ import annotations

import linecache
import threading
import traceback
from collections.abc import Callable, Collection
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import fx, nn

from explorer.core.text import one_line, shortened

_ONE_AT_A_TIME = threading.Lock()
LONGEST_LINE = 80  # signs of a line of code that is shown
LIBRARIES = (str(Path(torch.__file__).parent), str(Path(__file__).parents[1]))  # whose lines nobody here can change
CAUSES = (
    ("iterated", "goes through the parts of a tensor one by one", "let one call do all of them"),
    ("'len'", "asks a tensor for its len", "write x.shape[0] for it"),
    ("control flow", "decides by what a run computes", "write torch.where, or leave the decision out"),
    ("array", "leaves torch for numpy", "write torch's own function"),
    ("a string or a real number", "makes a plain number of a tensor", "leave it a tensor"),
    ("interpreted as an integer", "counts by what a run computes", "write the number"),
)
"""A part of what torch.fx or Python says -> what the line does, and what to do for a graph."""
OTHERWISE = ("does what only a run can do", "let its steps be the same for every image")


class NoGraph(Exception):
    """A forward pass that is no fixed list of steps.

    The message is a clause for people that names the line and says what it does; `remedy` what to change.
    """

    def __init__(self, error: Exception) -> None:
        fits = (told for part, *told in CAUSES if part in str(error))
        does, self.remedy = next(fits, OTHERWISE)
        super().__init__(f"{_line(error) or 'its forward pass'} {does}")


def _line(error: Exception) -> str:
    """The last line of the network's own code on the way to an error, if there is one."""
    frames = traceback.walk_tb(error.__traceback__)
    own = [(frame.f_code.co_filename, line) for frame, line in frames if _is_networks(frame)]
    if not own:
        return ""
    file, line = own[-1]
    code = shortened(one_line(linecache.getline(file, line).strip()), LONGEST_LINE)
    return f"line {line} of {one_line(Path(file).name)}, `{code}`,"


def _is_networks(frame: FrameType) -> bool:
    """Whether it runs a method of a network, of no library of LIBRARIES."""
    first = next(iter(frame.f_code.co_varnames), "")
    return isinstance(frame.f_locals.get(first), nn.Module) and not frame.f_code.co_filename.startswith(LIBRARIES)


class QuietGraph(fx.GraphModule):
    """A graph module that fails as other modules do: torch.fx's own prints its source and a traceback besides."""

    def recompile(self) -> Any:
        """Make the forward pass anew."""
        made = super().recompile()
        type(self).__call__ = nn.Module.__call__  # type: ignore[method-assign]
        return made


class _Tracer(fx.Tracer):
    """A tracer of its own thread only; the named modules become one operation each, whatever their class."""

    def __init__(self, leaves: Collection[str]) -> None:
        super().__init__()
        self.leaves = leaves
        self.thread = threading.get_ident()

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return module_qualified_name in self.leaves or super().is_leaf_module(m, module_qualified_name)

    def call_module(
        self, m: nn.Module, forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        if threading.get_ident() != self.thread:
            return forward(*args, **kwargs)
        return super().call_module(m, forward, args, kwargs)

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Any]) -> Any:
        if threading.get_ident() != self.thread:
            return attr_val
        return super().getattr(attr, attr_val, parameter_proxy_cache)


def symbolic_trace(module: nn.Module, leaves: Collection[str] = ()) -> fx.GraphModule:
    """The module as a graph; constants that it makes on the way become its attributes, and `leaves` stay modules.

    Raises NoGraph where its forward pass is no fixed list of steps, or fails.
    """
    try:
        with _ONE_AT_A_TIME:
            return fx.GraphModule(module, _Tracer(leaves).trace(module))
    except Exception as error:  # the network's own forward runs here and may raise anything
        raise NoGraph(error) from error
