"""What a model.py may hold: every planted statement and expression that is not in the list is refused."""

from __future__ import annotations

import pytest
from exported import described
from networks_at_hand import at_hand

from explorer.core.errors import BadInput
from explorer.export import model_source
from explorer.export.source.allowed import check

OWN = "".join((model_source._PATH, model_source.DTYPES, model_source.FIXED, model_source.LOADING))
SOURCE = model_source.render(described(at_hand("residual"))).decode()
FORWARD = SOURCE.index("        return", SOURCE.index("def forward"))
PLANTED = """
__import__("os").abort() ;; eval("1") ;; exec("1") ;; open ;; open("/etc/passwd") ;; print(x) ;; Path(x) ;; json
json.loads("1") ;; torch.os.system("true") ;; torch.os ;; torch.load ;; torch.load("x") ;; torch.hub.load(x)
torch.ops.aten.relu(x) ;; torch.nn.Linear(1, 2) ;; torch.__dict__ ;; torch ;; nn.Module ;; nn.modules.linear.os
F.os ;; F.relu.__globals__ ;; operator.attrgetter ;; operator.methodcaller("x")(x) ;; x.__class__
x.__reduce_ex__(2) ;; x.numpy() ;; x.tolist() ;; x.register_hook(x) ;; x.share_memory_() ;; x.data ;; self.__class__
self.__dict__ ;; self.forward ;; self.state_dict() ;; self.register_forward_hook(x) ;; self.apply(x)
self._modules ;; self.float.__globals__ ;; getattr(self, "__class__") ;; getattr(self, "forward")
getattr(x, "data") ;; getattr(self.float, "__globals__") ;; getattr(torch, "os") ;; getattr(self, x)
getattr(self) ;; getattr ;; getattr(self, "x", x) ;; super().forward(x) ;; super().__class__
super().__init__.__globals__ ;; lambda: x ;; [x for x in x] ;; (x for x in x) ;; {x: x} ;; {x} ;; {**x} ;; f"{x}"
x if x else x ;; x and x ;; not x ;; x == x ;; (y := x) ;; self.a(*x) ;; self.a(**x) ;; await x ;; (yield x) ;; y
Network ;; x(x) ;; self(x) ;; b'x' ;; 1j ;; ~x ;; x % x ;; x << 1 ;; nn.Sequential.__mro__ ;; torch.cat.__self__
load() ;; read_safetensors(x) ;; tensor(x, x)
"""
STATEMENTS = """
import os ;; from os import system ;; import torch as self ;; global x ;; del x ;; assert x ;; raise x ;; x += x
x: int = x ;; pass ;; for y in x: x ;; while x: x ;; with x: x ;; if x: x ;; def f(): x ;; class A: x = x
async def f(): x ;; torch.cat = x ;; F.relu = operator.add ;; self.forward = x ;; self.__class__ = x
self.float = x ;; x.shape = x ;; torch = x ;; nn = x ;; fixed = x ;; json = x ;; Path = x ;; return lambda: x
"""
METHODS = """
x = 1 ;; def __del__(self) -> None: return ;; def forward(x) -> Tensor: x ;; def forward() -> Tensor: 1
def forward(self, x: int = open('x')) -> None: x ;; def forward(self, x: open('x')) -> None: x
def forward(self, x) -> None: x ;; def forward(self, *x: int) -> None: x ;; def forward(self, **x: int) -> None: x
def forward(self, torch: int) -> None: torch
"""
OUTSIDE = """
import os ;; import torch.os ;; from torch import os ;; from torch import * ;; import torch as os ;; x = 1
os.system('true') ;; CLASSES = (__import__('os'),) ;; CLASSES = [x for x in ()] ;; MEAN, STD = open('x'), 1 ;; 'x'
MEAN = 1 ;; WEIGHTS = '/etc/passwd' ;; DTYPES = {} ;; def load(): pass ;; class A: pass ;; class A(Path): pass
class A(nn.Module, x): pass ;; class A(nn.Module, metaclass=type): pass ;; class Path(nn.Module): 'x'
class __A(nn.Module): 'x' ;; if True: import os ;; lambda: 1 ;; print(1) ;; __builtins__ = 1 ;; async def f(): 1
if
"""
NO_PYTHON = ("x = \ud800", "(" * 300, "if", "\0")


def each(block: str) -> list[str]:
    return [part for line in block.strip().splitlines() for part in line.split(" ;; ")]


def planted(line: str) -> str:
    return f"{SOURCE[:FORWARD]}        {line}\n{SOURCE[FORWARD:]}"


def test_what_the_writer_makes_is_allowed() -> None:
    check(SOURCE, OWN)
    line = "y = F.relu(self.a(x)[:, 1:2].float()) + getattr(self, '1st')(x)"
    check(planted(line), OWN)
    for source, own in ((planted(line.replace("self, '1st'", "torch, 'load'")), OWN), (SOURCE, "")):
        with pytest.raises(BadInput, match=r"^This network can't be written as model\.py: "):
            check(source, own)


@pytest.mark.parametrize("line", [*each(PLANTED), *each(STATEMENTS)])
def test_a_planted_line_in_a_method_is_refused(line: str) -> None:
    with pytest.raises(BadInput, match=r"^This network can't be written as model\.py: .*\.$"):
        check(planted(line), OWN)


@pytest.mark.parametrize(
    "line", [*each(OUTSIDE), *(f"class A(nn.Module):\n    {m}" for m in each(METHODS)), *NO_PYTHON]
)
def test_a_planted_line_outside_of_methods_is_refused(line: str) -> None:
    with pytest.raises(BadInput, match=r"^This network can't be written as model\.py: .*\.$"):
        check(f"{SOURCE}\n{line}\n", OWN)


def test_a_changed_part_of_the_file_s_own_is_refused() -> None:
    for old, new in (
        ("json.loads(header", "eval(header"),
        ("layer.requires_grad_(False)", "layer"),
        ('"F64"', '"F65"'),
    ):
        if old in SOURCE:
            with pytest.raises(BadInput, match="that is not in the list"):
                check(SOURCE.replace(old, new), OWN)
