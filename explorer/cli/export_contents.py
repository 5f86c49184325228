"""The contents of an export: a run's network at one of its states, the original, or any other network."""

from __future__ import annotations

from pathlib import Path

from explorer.cli.subject import Subject
from explorer.core.errors import BadInput
from explorer.export.contents import ExportContents, contents, of_state
from explorer.networks.network import Network
from explorer.runs.store import Run, pruned_at
from explorer.runs.timeline import Timeline


def contents_at_state(subject: Subject, state: int | None) -> ExportContents:
    """The subject's network, or that of another state of its run; raises BadInput if there is no such state."""
    run, where = subject.run, subject.request.network
    if run is None or run.timeline is None:
        if state is not None:
            raise BadInput(
                f"{where} is not a run, and only a run has states: leave --state out, or give the folder of a run."
            )
        return _of_any(subject)
    if state is None or state == run.timeline.current:
        return _of_run(run, run.timeline, run.timeline.current, subject.network)
    if state not in run.timeline.states:
        raise BadInput(f"{where} has no state {state}; it has {', '.join(map(str, run.timeline.states))}.")
    return _of_run(run, run.timeline, state, pruned_at(subject.original, run.timeline, Path(where), state))


def original_of(subject: Subject) -> ExportContents:
    """The network that the subject's run began with; raises BadInput if that is not to be had."""
    run = subject.run
    if run is None or run.timeline is None:
        raise BadInput(
            f"{subject.request.network} is not a run, and only a run knows its original: leave --original "
            "out, or give the folder of a run."
        )
    return _of_run(run, run.timeline, 0, subject.original)


def _of_any(subject: Subject) -> ExportContents:
    """A network that is no run's, with what its own file tells of it."""
    network, manifest = subject.network, subject.place.file.manifest if subject.place else None
    origin = {"network": {"name": network.name, "arch": network.arch, "digest": network.digest}}
    return contents(
        network,
        metrics=manifest.metrics if manifest else {},
        provenance=manifest.provenance if manifest else origin,
    )


def _of_run(run: Run, timeline: Timeline, number: int, network: Network) -> ExportContents:
    about = {"network": run.network, "data": run.data, "settings": run.settings}
    return of_state(network, timeline, number, provenance=about)
