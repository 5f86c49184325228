"""Races: kept in the work folder, one folder each, run by jobs, and gone on with after a stop."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

import streamlit as st

from explorer.core.locks import sole_writer
from explorer.jobs.job import LONG, Job
from explorer.networks.network import Network
from explorer.pruning.race import Race, RaceTerms, check
from explorer.runs.race_folders import FILE, begin_race, kept_race, read_race
from explorer.runs.run_folders import described
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.visitors import own_key
from explorer.ui.work.workspace import Workspace, workdir


@dataclass(frozen=True, eq=False)
class RaceStatus:
    """The progress of a race."""

    name: str  # of its folder
    terms: RaceTerms
    lanes: Race
    job: Job | None

    @property
    def active(self) -> bool:
        """Whether it is being run."""
        return self.job is not None and self.job.active

    @property
    def finished(self) -> int:
        """The number of finished lanes."""
        return sum(lane.finished for lane in self.lanes)

    @property
    def tuned(self) -> bool:
        """Whether there are updates between the steps."""
        return self.terms.settings.updates > 0

    def wanted(self, network: Network) -> int:
        """The number of lanes in all."""
        return len(self.terms.lanes(network))


def start(workspace: Workspace, terms: RaceTerms) -> str:
    """Have the race run, from where it stands; the name of its folder. Raises BadInput if it can't be run."""
    splits, name = workspace.splits(terms.settings.updates), _name(terms)
    check(workspace.network, splits, terms)
    folder, source = _folder(workspace) / name, workspace.source
    begin_race(
        folder, described(workspace.network, splits, {}, network_from=source.network, images_from=source.data), terms
    )

    def work(job: Job) -> Race:
        with sole_writer(folder, "wait for it to end"):
            for lanes in kept_race(workspace.network, splits, terms, folder, job.report):
                job.publish(lanes)
        return job.partial

    JOBS.submit(_key(workspace, name), "Racing", work, LONG)
    return name


def race_status(workspace: Workspace, name: str) -> RaceStatus:
    """The progress of a race, from its job and its folder; raises BadInput if that is damaged."""
    job, kept = JOBS.find(_key(workspace, name)), read_race(_folder(workspace) / name)
    lanes = job.partial if job and job.active and job.partial else kept.lanes
    return RaceStatus(name, kept.terms, lanes, job)


def all_races(workspace: Workspace) -> list[str]:
    """The races of this network and these images in the work folder, latest first."""
    paths = sorted(_folder(workspace).glob(f"*/{FILE}"), key=lambda path: path.stat().st_mtime, reverse=True)
    return [path.parent.name for path in paths]


def discard(workspace: Workspace, name: str) -> None:
    """Delete a race and its lanes."""
    JOBS.forget(_key(workspace, name))
    shutil.rmtree(_folder(workspace) / name, ignore_errors=True)


def in_view(workspace: Workspace) -> str | None:
    """The race that this tab shows: the one that the address names, else the latest."""
    known = all_races(workspace)
    asked = st.query_params.get("race") or st.session_state.get("race")
    return str(asked) if asked in known else next(iter(known), None)


def look_at(name: str) -> None:
    """Show this race in this tab."""
    st.session_state["race"] = name
    st.query_params["race"] = name


def _name(terms: RaceTerms) -> str:
    """The same for the same terms, so that asking again finds what there is."""
    return hashlib.sha256(json.dumps(asdict(terms), sort_keys=True).encode()).hexdigest()[:16]


def _folder(workspace: Workspace) -> Path:
    """The folder of the races of a network and its images."""
    return workdir() / "races" / hashlib.sha256(workspace.key.encode()).hexdigest()[:16]


def _key(workspace: Workspace, name: str) -> str:
    return own_key(f"race-{_folder(workspace).name}-{name}")
