"""Tracing with torch.fx in a process whose other threads run networks meanwhile.

torch.fx replaces `nn.Module.__call__` and `__getattr__` for everyone while it traces. Here whatever another thread
calls goes through untouched, and only one trace runs at a time, since two would restore each other's replacements.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from typing import Any

from torch import fx, nn

_ONE_AT_A_TIME = threading.Lock()


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

    Raises whatever the module's forward raises, and torch.fx's TraceError where it branches on values.
    """
    with _ONE_AT_A_TIME:
        return fx.GraphModule(module, _Tracer(leaves).trace(module))
