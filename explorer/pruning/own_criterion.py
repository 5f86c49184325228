"""A person's own criterion, `package.module:function`: named on the command line, from then on a row like the others.

Its parameters have the names of parts of the evidence, as those of the built-in criteria: `def spread(seen)`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from torch import Tensor

from explorer.core.errors import BadInput
from explorer.core.own_code import FORM, import_own
from explorer.core.text import first_line, quoted
from explorer.data import open_images
from explorer.networks.demos import DEMO
from explorer.networks.load import batches_for, demo_file
from explorer.networks.units import Units
from explorer.pruning.selectors import SELECTORS, of_criterion, own_title
from explorer.scoring.criteria import CRITERIA, Criterion, fits_all
from explorer.scoring.evidence import ALWAYS, PARTS, gather
from explorer.scoring.kernels import without_batchnorm

KNOWN = (*sorted(PARTS), *sorted(ALWAYS))
TRIED = 8  # images of the demo


def import_criterion(name: str) -> str:
    """Import a person's own criterion and add it to the tables, once; its name there.

    Runs their code, so it is only for names that a person gave on the command line. Raises BadInput if there is no such
    function, or what it asks for or returns is not as a criterion's should be: it is tried on the demo.
    """
    if name not in CRITERIA:
        criterion = _criterion(name, _imported(name))
        _try(criterion)
        CRITERIA[name], SELECTORS[name] = criterion, of_criterion(criterion)
    return name


def _imported(name: str) -> Callable[..., Any]:
    if not FORM.fullmatch(name):
        raise BadInput(f"The criterion {quoted(name)} is not of the form package.module:function.")
    function: Callable[..., Any] = import_own(name)
    if not callable(function):
        raise BadInput(f"{name} is of type {type(function).__name__}; a criterion is a function.")
    return function


def _criterion(name: str, function: Callable[..., Any]) -> Criterion:
    needs = _needs(name, function)
    return Criterion(
        name,
        _title(name),
        "its own",
        partial(_checked, name, function, needs),
        ("units", *needs),
        source=name,
        variant=(inspect.getdoc(function) or f"{name}, a function without a docstring.").partition("\n")[0],
        why_not=without_batchnorm if "batchnorm" in needs else fits_all,
    )


def _title(name: str) -> str:
    """In words; the whole name where these are another's title."""
    title = own_title(name)
    return name if title in {selector.title for selector in SELECTORS.values()} else title


def _needs(name: str, function: Callable[..., Any]) -> tuple[str, ...]:
    """The parts of the evidence that a function asks for; other parameters must have defaults, and keep them."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError) as error:
        raise BadInput(f"{name} does not show its parameters ({first_line(error)}): give a plain function.") from error
    unknown = [each.name for each in parameters if each.name not in KNOWN and each.default is each.empty]
    needs = tuple(each.name for each in parameters if each.name in KNOWN)
    if unknown or not needs:
        asks = f"asks for {unknown[0]}" if unknown else "asks for nothing"
        raise BadInput(f"{name} {asks}; a criterion's parameters are parts of the evidence: {', '.join(KNOWN)}.")
    return needs


def _checked(name: str, function: Callable[..., Any], needs: tuple[str, ...], units: Units, *parts: Any) -> Tensor:
    """(units,) float64, what the function returns; raises BadInput if that is no saliency of these units."""
    try:
        found = function(**dict(zip(needs, parts, strict=True)))
    except Exception as error:  # their own code may fail in any way
        raise BadInput(f"{name} failed: {type(error).__name__}: {first_line(error)}.") from error
    rule = f"it must return ({len(units)},) finite floating-point values, one a unit"
    if not isinstance(found, Tensor):
        raise BadInput(f"{name} returns a value of type {type(found).__name__}, no tensor: {rule}.")
    if found.shape != (len(units),) or not found.is_floating_point():
        raise BadInput(f"{name} returns {tuple(found.shape)} values of {found.dtype}: {rule}.")
    if not found.isfinite().all():
        raise BadInput(f"{name} returns {int((~found.isfinite()).sum())} values that are not finite: {rule}.")
    return found.detach().cpu().double()


def _try(criterion: Criterion) -> None:
    """Score a few images of the demo, if the criterion can: a mistake shows before any work."""
    network = demo_file().network()
    if criterion.why_not(network) is None:
        images = batches_for(network, open_images(DEMO), "calibration", TRIED)
        criterion.saliency(gather(network, images, criterion.needs))
