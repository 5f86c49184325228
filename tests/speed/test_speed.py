"""Speed: figures from times and FLOPs, both networks under the same conditions, and what is said of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from networks_at_hand import at_hand
from torch import Tensor

from explorer.core.errors import BadInput
from explorer.evaluation.evaluate import Latency
from explorer.networks.costs import measure_costs
from explorer.networks.surgery import prune
from explorer.networks.units import none_removed
from explorer.speed import engines
from explorer.speed.engines import ENGINES, Engine
from explorer.speed.measure import measure_speed, plan_between, rounded_up
from explorer.speed.memory import peak_memory
from explorer.speed.result import Timing, TimingTerms, warning

QUICK = TimingTerms(batches=(2,), runs=2, multiples=(4,))


def latency(median: float, spread: float = 0.0, batch: int = 2) -> Latency:
    return Latency(median, median - spread, median + spread, batch, 5, "cpu", 1)


def test_both_networks_are_measured_under_every_term() -> None:
    full = at_hand("plain")
    removed = none_removed(full.units)
    removed[:3] = True
    pruned, notes = prune(full, removed), []
    threads = torch.get_num_threads()
    found = measure_speed(
        full, pruned, replace(QUICK, threads=(1, 2), batches=(1, 2)), lambda done, total, note: notes.append(note)
    )
    assert [(t.full.threads, t.full.batch) for t in found.timings] == [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert all((t.full.threads, t.full.batch) == (t.pruned.threads, t.pruned.batch) for t in found.timings)
    assert torch.get_num_threads() == threads
    costs = measure_costs(full)
    assert found.theoretical == costs.flops() / costs.flops(removed)
    assert (found.full.parameters, found.pruned.parameters) == (costs.parameters(), costs.parameters(removed))
    assert found.pruned.weights < found.full.weights
    assert "eager, 2 threads, batch 1; latency measured" in notes


def test_the_plan_between_two_networks_is_the_one_that_led_from_one_to_the_other() -> None:
    full = at_hand("plain")
    removed = none_removed(full.units)
    removed[[0, 3, 7]] = True
    pruned = prune(full, removed)
    assert plan_between(full.units, pruned.units).equal(removed)
    with pytest.raises(BadInput, match="which the full network has not"):
        plan_between(pruned.units, full.units)


@pytest.mark.parametrize("multiple", [1, 2, 4, 8, 16])
def test_rounding_takes_each_layer_that_lost_units_to_the_next_multiple_and_removes_no_other(multiple: int) -> None:
    units = at_hand("plain").units
    removed = torch.rand(len(units), generator=torch.Generator().manual_seed(multiple)) < 0.4
    for place in units.slices.values():
        removed[place.start] = False
    plan = rounded_up(units, removed, multiple)
    assert not (plan & ~removed).any()
    for name, part in units.by_layer(removed).items():
        kept, total = int((~part).sum()), len(part)
        up = -(-kept // multiple) * multiple
        assert int((~units.by_layer(plan)[name]).sum()) == (total if kept == total else min(up, total))


def test_speed_up_throughput_and_what_counts_as_faster() -> None:
    assert Timing("eager", latency(10), latency(4)).speed_up == 2.5
    assert Timing("eager", latency(10, 1), latency(7, 1)).faster
    assert not Timing("eager", latency(10, 2), latency(7, 2)).faster
    assert latency(4, 1, batch=8).throughput == (2000, 1600, 8000 / 3)


def test_a_pruned_network_that_is_not_faster_gets_the_reason() -> None:
    full = at_hand("plain")
    removed = none_removed(full.units)
    removed[:3] = True
    found = measure_speed(full, prune(full, removed), QUICK)
    size = found.full
    halved = replace(found, pruned=replace(size, flops=size.flops // 2), odd=0)
    assert warning(halved, Timing("eager", latency(10, 1), latency(5, 1))) == ""
    slower = warning(halved, Timing("eager", latency(10, 1), latency(20, 1)))
    assert slower.startswith("eager, batch 2, 1 thread, cpu: the pruned network is slower (0.50 times as fast, 2.0")
    rates = [size.flops * 2 / 10 / 1e6, size.flops // 2 * 2 / 20 / 1e6]
    assert f"it computes {rates[1]:.3g} GFLOPs a second where the full network does {rates[0]:.3g}" in slower
    same = Timing("eager", latency(10, 1), latency(10, 1))
    assert "not faster beyond the spread" in warning(halved, same)
    assert "3 layers have odd widths" in warning(replace(halved, odd=3), same)
    assert "97% of the FLOPs left" in warning(replace(found, pruned=replace(size, flops=int(size.flops * 0.97))), same)


def test_an_engine_that_can_not_run_here_says_so_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(network: object, x: Tensor) -> object:
        raise BadInput("It has no compiler.")

    monkeypatch.setattr(engines, "ENGINES", {**ENGINES, "compiled": Engine("compiled", "", broken)})
    full = at_hand("plain")
    found = measure_speed(full, full, replace(QUICK, engines=("compiled", "eager"), batches=(1, 2), multiples=()))
    assert found.refused == ("It has no compiler.",)
    assert [t.engine for t in found.timings] == ["eager", "eager"]


def test_rounded_widths_are_timed_by_the_first_engine_that_runs_and_with_the_most_images(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(network: object, x: Tensor) -> object:
        raise BadInput("It has no compiler.")

    own = {"compiled": Engine("compiled", "", broken), "own": replace(ENGINES["eager"], name="own")}
    monkeypatch.setattr(engines, "ENGINES", {**ENGINES, **own})
    full = at_hand("plain")
    removed = none_removed(full.units)
    removed[:3] = True
    for names, by in ((("compiled", "own", "eager"), "own"), (("compiled",), None)):
        found = measure_speed(full, prune(full, removed), replace(QUICK, engines=names, batches=(1, 4, 2)))
        (rounded,) = found.rounded
        assert rounded.back == int((removed & ~rounded_up(full.units, removed, 4)).sum()) > 0
        assert (rounded.timing and (rounded.timing.engine, rounded.timing.full.batch)) == (by and (by, 4))


def test_what_torch_compile_says_becomes_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def refusing(module: object, **options: object) -> object:
        def body(x: Tensor) -> Tensor:
            raise RuntimeError("no C++ compiler found\nand much more")

        return body

    monkeypatch.setattr(torch, "compile", refusing)
    with pytest.raises(BadInput, match=r"^torch.compile can't compile plain here: no C\+\+ compiler found\.$"):
        ENGINES["compiled"].prepare(at_hand("plain"), torch.zeros(1))


def test_onnxruntime_computes_what_the_network_does() -> None:
    pytest.importorskip("onnxruntime")
    network = at_hand("plain")
    x = torch.randn(3, *network.input_shape)
    (logits,) = ENGINES["onnxruntime"].prepare(network, x)(x)
    assert torch.allclose(torch.from_numpy(logits), network.module(x), atol=1e-4)


def test_memory_grows_with_the_batch_and_holds_at_least_the_largest_value() -> None:
    network = at_hand("plain")
    one, eight = peak_memory(network, 1), peak_memory(network, 8)
    largest = max(cost.positions * cost.writes for cost in measure_costs(network).modules if cost.kind == "conv")
    assert one >= 4 * largest and eight >= 8 * 4 * largest


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"engines": ("abacus",)}, "Engine 'abacus' is unknown; the engines are: eager, compiled, onnxruntime"),
        ({"batches": (0,)}, "0 images at once can't be measured: it must be 1 to"),
        ({"threads": (-1,)}, "-1 threads can't be measured"),
        ({"runs": 0}, "0 runs can't be measured"),
        ({"multiples": (0,)}, "Widths can't be multiples of 0"),
    ],
)
def test_terms_that_can_not_be_met_say_why(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        TimingTerms(**wrong)
