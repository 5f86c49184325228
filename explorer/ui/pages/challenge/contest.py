"""The contest: measured once for each challenge, and once for each choice of a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor

from explorer.core.progress import one_of, within
from explorer.jobs.job import LONG, QUICK, Job
from explorer.networks.units import none_removed
from explorer.pruning.challenge import (
    DRAWS,
    Challenge,
    Contender,
    chance_plans,
    contend,
    contend_tuned,
    contender,
    joint_plan,
)
from explorer.pruning.plan import remove_next
from explorer.pruning.selectors import JOINT
from explorer.training.finetune import PAPER, Training
from explorer.ui.choosing.controls import RankingChoice, ranking
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.progress import await_result
from explorer.ui.work.results import measured_before, measuring_job, plan_digest
from explorer.ui.work.session import View
from explorer.ui.work.visitors import own_key

TAYLOR, CHANCE, YOU = "taylor", "random", "you"
NAMES = {YOU: "You", TAYLOR: "Taylor", JOINT: "Joint choice", CHANCE: "Chance"}
IN_A_SENTENCE = {YOU: "you", TAYLOR: "Taylor", JOINT: "the joint choice", CHANCE: "chance"}
UPDATES = 40  # of fine-tuning "a little"
TRAINING = Training(replace(PAPER, learning_rate=1e-3))
BY_TAYLOR = RankingChoice(TAYLOR, "l2", 0.0, False)

Contenders = Mapping[str, Contender]


def contest(view: View, challenge: Challenge, plan: Tensor) -> Contenders:
    """The person's choice and the machine's; where that takes long, the page shows progress and ends here."""
    machine = await_result(_machine_job(view, challenge))
    yours = await_result(measuring_job(view.workspace, plan))
    return {YOU: contender([plan], [yours]), **machine}


def contest_known(view: View, challenge: Challenge, plan: Tensor) -> Contenders | None:
    """The same where all of it has been measured already."""
    machine, yours = JOBS.find(_machine_key(view, challenge)), measured_before(view.workspace, plan)
    return {YOU: contender([plan], [yours]), **machine.result} if machine and machine.result and yours else None


def _machine_key(view: View, challenge: Challenge) -> str:
    return f"challenge-{view.workspace.key}-{challenge}"


def _machine_job(view: View, challenge: Challenge) -> Job:
    """The job that has Taylor, joint choice and chance choose, and measures them."""
    workspace, network, count = view.workspace, view.workspace.network, challenge.count
    saliency = ranking(view, BY_TAYLOR)

    def work(job: Job) -> Contenders:
        whole = none_removed(network.units)
        calibration, validation = workspace.calibration, workspace.validation
        chosen = joint_plan(
            network, workspace.costs, calibration, count, within(job.report, 0, 0.4, "choosing jointly")
        )
        plans = {
            TAYLOR: [remove_next(network.units, whole, saliency, count)],
            JOINT: [chosen],
            CHANCE: chance_plans(network.units, count, challenge.seed),
        }
        ends, found = [0.4, 0.46, 0.52, 1.0], {}
        for place, (name, those) in enumerate(plans.items()):
            report = within(job.report, ends[place], ends[place + 1], NAMES[name])
            found[name] = contend(network, validation, those, report)
        return found

    return JOBS.ensure(
        _machine_key(view, challenge), f"Measuring Taylor, the joint choice and {DRAWS} draws of chance", work, QUICK
    )


def tuning_key(view: View, challenge: Challenge, plan: Tensor) -> str:
    """The key of the job of `tune`."""
    return own_key(f"challenge-tuned-{view.workspace.key}-{challenge}-{plan_digest(plan)}")


def tune(view: View, challenge: Challenge, contenders: Contenders) -> None:
    """Begin the job that fine-tunes each choice by the same minibatches; of chance the first draw."""
    workspace = view.workspace

    def work(job: Job) -> Contenders:
        splits, found = workspace.splits(UPDATES), {}
        for place, (name, each) in enumerate(contenders.items()):
            report = one_of(job.report, place, len(contenders), NAMES[name])
            found[name] = contend_tuned(workspace.network, splits, each.plans[0], UPDATES, TRAINING, report)
        return found

    key = tuning_key(view, challenge, contenders[YOU].plans[0])
    JOBS.submit(key, "Fine-tuning each choice", work, LONG)
