"""What an export command writes: a run's network at one of its states, the original, or any other network."""

from __future__ import annotations

from pathlib import Path

from explorer.cli.opening import manifest_of, opened
from explorer.cli.subject import Subject
from explorer.core.errors import BadInput
from explorer.export.contents import Contents, contents, of_state
from explorer.export.verify import ORIGINAL
from explorer.networks.load import RUN_NETWORK, for_classes
from explorer.networks.network import Network
from explorer.runs.origins import began_with, is_of_app
from explorer.runs.store import Run, pruned_at
from explorer.runs.timeline import Timeline


def as_asked(subject: Subject, state: int | None) -> Contents:
    """The subject's network, or that of another state of its run; BadInput where there is no such state."""
    run, where = subject.run, subject.request.network
    if run is None or run.timeline is None:
        if state is not None:
            raise BadInput(f"{where} is no run: only a run has states.")
        return _of_any(subject)
    if state is None or state == run.timeline.current:
        return _of_run(subject, run, run.timeline, run.timeline.current, subject.network)
    if state not in run.timeline.states:
        raise BadInput(f"{where} has no state {state}; it has {', '.join(map(str, run.timeline.states))}.")
    network = pruned_at(original_network(subject, run), run.timeline, Path(where), state)
    return _of_run(subject, run, run.timeline, state, network)


def original_of(subject: Subject) -> Contents:
    """The network that the subject's run began with; BadInput where that is not to be had."""
    run = subject.run
    if run is None or run.timeline is None:
        raise BadInput(f"{subject.request.network} is no run: only a run knows its original.")
    return _of_run(subject, run, run.timeline, 0, original_network(subject, run))


def pair_of(subject: Subject) -> tuple[Network, Network]:
    """The network before pruning and after: a run's, or an export's with the original in it."""
    if subject.run is not None:
        return original_network(subject, subject.run), subject.network
    folder = Path(subject.request.network)
    if not (folder / ORIGINAL / RUN_NETWORK).is_file():
        raise BadInput(
            f"{folder} holds no network before pruning: give a run folder, or what `export --original` has written."
        )
    return opened(str(folder / ORIGINAL)).to(subject.network.device), subject.network


def _of_any(subject: Subject) -> Contents:
    """A network that is no run's, with what its own file tells of it."""
    network, manifest = subject.network, manifest_of(subject.request.network)
    origin = {"network": {"name": network.name, "arch": network.arch, "digest": network.digest}}
    return contents(
        network,
        metrics=manifest.metrics if manifest else {},
        provenance=manifest.provenance if manifest else origin,
    )


def _of_run(subject: Subject, run: Run, timeline: Timeline, number: int, network: Network) -> Contents:
    return of_state(
        network,
        timeline,
        number,
        provenance={"network": run.network, "data": run.data, "settings": run.settings},
    )


def original_network(subject: Subject, run: Run) -> Network:
    """The network as the run was given it, from where it lay then."""
    where = subject.request.network
    found = began_with(run, Path(where)) if is_of_app(run) else _given(where, run, subject.request.arch)
    return for_classes(found.to(subject.network.device), subject.network.classes, where)


def _given(where: str, run: Run, arch: str | None) -> Network:
    """The network that a run of the command line names; one's own factory is called only if --arch names it again."""
    manifest, source = manifest_of(where), str(run.network.get("source"))
    named = arch or str(run.network.get("arch"))
    found = opened(source, named, manifest.preprocessing if manifest else None, trusted=arch is not None)
    if found.digest != run.network.get("digest"):
        raise BadInput(f"{source} is no longer the network that the run in {where} began with.")
    return found
