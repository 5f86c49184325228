"""The anytime oracle: from estimates to the exact figures, resumed, and by the way that is right for the network."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from modules import branching
from networks_at_hand import MODULES, SHAPE, at_hand, images

from explorer.core.errors import BadInput
from explorer.scoring.oracle import (
    Incremental,
    OracleOptions,
    oracle,
    oracle_bytes,
    oracle_steps,
    read_oracle,
    reference_oracle,
)


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("estimates", [False, True])
def test_the_last_step_is_the_exact_oracle(name: str, estimates: bool) -> None:
    network, batches = at_hand(name), images(SHAPE, n=40, size=7)
    expected = reference_oracle(network, batches)
    *steps, whole = oracle_steps(network, batches, OracleOptions(estimates=estimates))
    torch.testing.assert_close(whole.oracle_loss, expected.oracle_loss, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(whole.standard_error, expected.standard_error, rtol=1e-3, atol=1e-6)
    torch.testing.assert_close(whole.rows, expected.rows, rtol=1e-3, atol=1e-6)
    assert whole.whole and whole.settled and not whole.remaining_error.any()
    assert [s.images for s in steps] == [8, 16, 24, 32]
    assert not any(s.whole for s in steps)


def test_steps_before_the_last_say_how_far_they_are_off() -> None:
    network, batches = at_hand("plain"), images(SHAPE, n=64)
    exact = reference_oracle(network, batches).oracle_loss
    *steps, whole = oracle_steps(network, batches)
    errors = [float(s.remaining_error.mean()) for s in steps]
    assert errors == sorted(errors, reverse=True)
    off = (steps[0].oracle_loss - exact).abs()
    assert ((off <= 3 * steps[0].remaining_error) | (off < 1e-6)).double().mean() > 0.8
    assert all(0 < s.expected_agreement < 1 for s in steps)
    assert (steps[0].standard_error >= steps[0].remaining_error).all()
    assert whole.expected_agreement == 1


def test_going_on_from_an_earlier_result_repeats_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    network, batches = at_hand("residual"), images(SHAPE, n=40)
    first, second, *_ = oracle_steps(network, batches.picked(torch.arange(24)))
    done: list[int] = []
    plain = Incremental.changes

    def counted(self, x, y, *told):
        done.append(len(y))
        return plain(self, x, y, *told)

    monkeypatch.setattr(Incremental, "changes", counted)
    *_, whole = oracle_steps(network, batches, known=second)
    assert sum(done) == 40 - second.images + 1  # one image to see that running in parts is right
    assert first.images < second.images < 24
    torch.testing.assert_close(whole.rows, reference_oracle(network, batches).rows, rtol=1e-3, atol=1e-6)


def test_going_on_with_the_same_images_does_not_linearise_again(monkeypatch: pytest.MonkeyPatch) -> None:
    network, batches = at_hand("plain"), images(SHAPE, n=40)
    first, *_ = oracle_steps(network, batches)
    monkeypatch.setattr("explorer.scoring.oracle.anytime.linearise", None)
    *_, whole = oracle_steps(network, batches, known=first)
    assert whole.whole and whole.linear is first.linear
    *_, again = oracle_steps(network, batches, linear=first.linear)
    assert again.whole and again.linear is first.linear and torch.equal(again.positions, whole.positions)
    torch.testing.assert_close(again.changes, whole.changes, rtol=1e-6, atol=1e-7)  # other batches round otherwise


def test_a_network_that_can_not_be_traced_is_run_whole_and_says_so() -> None:
    network, batches = branching(), images(SHAPE)
    found = oracle(network, batches)
    assert found.method == "reference"
    assert "branches can't be run in parts: line " in found.note
    torch.testing.assert_close(found.oracle_loss, reference_oracle(network, batches).oracle_loss)


def test_figures_that_differ_from_the_gates_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Incremental.changes
    monkeypatch.setattr(Incremental, "changes", lambda self, x, y, *told: plain(self, x, y, *told) + 0.1)
    network, batches = at_hand("plain"), images(SHAPE)
    found = oracle(network, batches)
    assert found.method == "reference" and "gave other figures" in found.note
    torch.testing.assert_close(found.oracle_loss, reference_oracle(network, batches).oracle_loss)


def test_lower_precision_states_how_well_its_ranks_agree() -> None:
    found = oracle(at_hand("plain"), images(SHAPE), OracleOptions(estimates=False, precision="bfloat16"))
    assert found.note.startswith("Computed in bfloat16: rank correlation with float32 0.9")


def test_progress_ends_at_the_whole_and_can_cancel() -> None:
    told: list[tuple[int, int]] = []
    network, batches = at_hand("plain"), images(SHAPE, n=40, size=10)
    list(oracle_steps(network, batches, report=lambda done, total, note="": told.append((done, total))))
    assert [d for d, _ in told] == sorted(d for d, _ in told)
    assert told[-1][0] == pytest.approx(told[-1][1], rel=0.02)

    def stop(done: int, total: int, note: str = "") -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(oracle_steps(network, batches, report=stop))


def test_an_oracle_is_kept_as_it_is(tmp_path) -> None:
    network, batches = at_hand("plain"), images(SHAPE, n=40)
    path = tmp_path / "oracle.safetensors"
    for found in oracle_steps(network, batches):
        path.write_bytes(oracle_bytes(found))
        again = read_oracle(path, network.units)
        assert torch.equal(again.oracle_loss, found.oracle_loss)
        assert torch.equal(again.remaining_error, found.remaining_error)
        assert (again.total, again.method, again.note) == (found.total, found.method, found.note)


def test_files_that_are_no_oracle_of_the_network_are_refused(tmp_path) -> None:
    found = oracle(at_hand("plain"), images(SHAPE))
    broken = {
        "other network": oracle_bytes(oracle(at_hand("fire"), images(SHAPE))),
        "twice the same image": oracle_bytes(replace(found, positions=torch.zeros(12, dtype=torch.int64))),
        "no image": oracle_bytes(replace(found, positions=found.positions + 1)),
        "truncated": oracle_bytes(found)[:-1],
        "a bit flipped": oracle_bytes(found)[:-3] + bytes([oracle_bytes(found)[-3] ^ 1]) + oracle_bytes(found)[-2:],
    }
    for name, data in broken.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(BadInput, match=f"{name} is not an oracle of this network"):
            read_oracle(tmp_path / name, at_hand("plain").units)
    with pytest.raises(BadInput, match="nowhere"):
        read_oracle(tmp_path / "nowhere", found.units)
