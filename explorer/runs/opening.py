"""Opening: the place that a person names, a network's file or the folder of a run, is read once.

It stands above the runs, as a place may be one; a file alone is read by `explorer.networks.load`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from explorer.core.errors import BadInput
from explorer.data import UNCHANGED, Changes, Preprocessing, changes_from_json
from explorer.data.uploads import kept_images
from explorer.networks.demos import DEMOS, saved_source
from explorer.networks.load import ORIGINAL, RUN_NETWORK, NetworkFile, file_at, network_file
from explorer.networks.network import Network
from explorer.runs.origins import source_file, source_from_json
from explorer.runs.store import INTERACTIVE, Run, holds_run, own_network, pruned_at, read_run


@dataclass(frozen=True, eq=False)
class Place:
    """A file that no run tells of: the demo's, a checkpoint, an export, or the folder of one."""

    where: str  # as the person named it
    name: str  # of its network
    file: NetworkFile  # that its network, or its original, is read from
    run: Run | None  # of which it is the folder

    @property
    def images_from(self) -> str | None:
        """The images of its run, as --data names them; raises BadInput if they were uploaded, and are gone."""
        source = self.run.data.get("source") if self.run else None
        return kept_images(source, Path(self.where).resolve().parent.parent) if isinstance(source, str) else None

    def preprocessing(self, changes: Changes, *, images: bool = True) -> Preprocessing:
        """The preprocessing of its images, if any, with these changes; raises BadInput if what can't be known is not
        given.
        """
        return self.file.preparation.with_changes(changes, images=images)

    def network(self, preprocessing: Preprocessing | None = None) -> Network:
        """The network, for images that go through another preprocessing than the file's own where one is given."""
        return replace(self.file.network(preprocessing), name=self.name)

    @cached_property
    def original(self) -> Network:
        """The network before pruning; raises BadInput if that is not to be had."""
        folder = Path(self.where) / ORIGINAL
        if not (folder / RUN_NETWORK).is_file():
            raise BadInput(
                f"{self.where} holds no network before pruning: give a run folder, or what `export --original` has "
                "written."
            )
        return place(str(folder)).network()


@dataclass(frozen=True, eq=False)
class BatchRun(Place):
    """The folder of a run that was taken to its end by a command, or a job: it holds the network that it ended with."""

    run: Run
    arch: str | None  # of the network that it began with, where a person names it

    def preprocessing(self, changes: Changes, *, images: bool = True) -> Preprocessing:
        """The preprocessing of its file, or as the run tells where that has weights alone, with these changes."""
        told = UNCHANGED if self.file.manifest else changes_from_json(self.run.network)
        return changes.apply(self.file.preparation.with_changes(told, images=images))

    def network(self, preprocessing: Preprocessing | None = None) -> Network:
        """The network that it ended with, for another preprocessing where one is given."""
        return super().network(preprocessing or self.preprocessing(UNCHANGED))

    @cached_property
    def original(self) -> Network:
        """The network that it began with, from where it lay then; one's own factory is called only if a person says."""
        network = _began(self.run, self.arch).network(self.file.preparation.preprocessing)
        return _as_begun(network, self.run, str(self.run.network.get("source")), self.where)


@dataclass(frozen=True, eq=False)
class InteractiveRun(Place):
    """The folder of a run of the app: the network of the file, pruned and trained as at the state that it stands at."""

    run: Run
    changes: Changes  # of the preprocessing that the file names

    def preprocessing(self, changes: Changes, *, images: bool = True) -> Preprocessing:
        """The preprocessing of its images, with these changes too."""
        return changes.apply(self.original.preprocessing)

    def network(self, preprocessing: Preprocessing | None = None) -> Network:
        """The network at the run's state; raises BadInput for another preprocessing than the run's."""
        if preprocessing not in (None, self.original.preprocessing):
            raise BadInput(
                f"{self.where} is a run of the app, and how its images are prepared can't be changed: leave "
                "those options out."
            )
        states = self.run.timeline
        return replace(pruned_at(self.original, states, Path(self.where)) if states else self.original, name=self.name)

    @cached_property
    def original(self) -> Network:
        """The network that it began with."""
        network = self.file.network(self.file.preparation.with_changes(self.changes))
        return _as_begun(network, self.run, network.name, self.where)


@dataclass(frozen=True, eq=False)
class UnexportedRun(Place):
    """The folder of a run of a command whose network can't be exported: it is cut anew out of the one it began with."""

    run: Run
    began: Place  # with the network that it began with

    def preprocessing(self, changes: Changes, *, images: bool = True) -> Preprocessing:
        """The preprocessing of the run's images, with these changes too."""
        return changes.apply(self.original.preprocessing)

    def network(self, preprocessing: Preprocessing | None = None) -> Network:
        """The network that the run ended with; raises BadInput for another preprocessing than the run's."""
        if preprocessing not in (None, self.original.preprocessing):
            raise BadInput(
                f"{self.where} holds no network of its own, and how its images are prepared can't be changed: "
                "leave those options out."
            )
        return replace(pruned_at(self.original, self.run.states, Path(self.where)), name=self.name)

    @cached_property
    def original(self) -> Network:
        """The network that it began with."""
        prepared = self.began.preprocessing(changes_from_json(self.run.network))
        return _as_begun(self.began.network(prepared), self.run, self.began.name, self.where)


def place(where: str, arch: str | None = None, *, trusted: bool = True) -> Place:
    """The place that a person names: "demo", a checkpoint, an export, or the folder of a run, for that run's network.

    trusted: whether a person gave `arch`, which may then name their own factory; a file's word is not theirs. Raises
    BadInput if there is no network, or a run is unfinished or damaged; the network is not built yet.
    """
    path = Path(where)
    folder = path.parent if path.name == RUN_NETWORK else path
    if where in DEMOS or not holds_run(folder):
        file = file_at(where, arch=arch, trusted=trusted)
        return Place(where, path.resolve().name if where not in DEMOS and path.is_dir() else file.name, file, None)
    run, name = read_run(folder), folder.resolve().name
    if not run.finished:
        raise BadInput(f"The run in {folder} is unfinished: the prune command that began it ends it with --resume.")
    if run.kind == INTERACTIVE and folder == path:
        source = source_from_json(run.network, run.data)
        return InteractiveRun(where, name, source_file(source, folder.resolve().parent.parent), run, source.changes)
    if folder == path and not (RUN_NETWORK in run.files or os.path.lexists(folder / RUN_NETWORK)):
        began = _began(run, arch)
        return UnexportedRun(where, name, began.file, run, began)
    file = network_file(own_network(folder, run), RUN_NETWORK, arch=arch, trusted=trusted)
    return BatchRun(where, name, file, run, arch) if folder == path else Place(where, file.name, file, None)


def _began(run: Run, arch: str | None) -> Place:
    """The place of the network that a run began with; only an architecture that a person names may be their code."""
    where = saved_source(str(run.network.get("source")), run.network.get("digest"))
    return place(where, arch or str(run.network.get("arch")), trusted=arch is not None)


def _as_begun(network: Network, run: Run, name: str, where: str) -> Network:
    """The network itself; raises BadInput if it is no longer the one that a run began with."""
    if run.network.get("digest", network.digest) != network.digest:
        raise BadInput(
            f"{name} is no longer the network that the run in {where} began with: give that one back its "
            "place, or begin a new run."
        )
    return network
