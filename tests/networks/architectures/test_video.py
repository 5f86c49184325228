from __future__ import annotations

import pytest
import torch

from explorer.data import Batches, open_images
from explorer.networks.architectures.families import preprocessing_for
from explorer.networks.architectures.video import R3DCNN, SEGMENT, r3dcnn
from explorer.training.finetune import Recipe, Training
from explorer.training.transfer import epochs, network_at_start

ARCH = "explorer:r3dcnn"


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """The network with fewer maps, so that it trains in seconds."""
    monkeypatch.setattr(R3DCNN, "WIDTHS", (2, 4, 8, 8))
    monkeypatch.setattr(R3DCNN, "FEATURES", 32)


def test_convolutions_see_segments_by_themselves_and_the_recurrent_layer_their_order() -> None:
    torch.manual_seed(0)
    module, clips = r3dcnn().eval(), torch.randn(2, 3, 2 * SEGMENT, 64, 64)
    first, second = clips.split(SEGMENT, dim=2)
    features = [module.reduce(module.features(part.contiguous())) for part in (first, second)]
    said = module.classifier(module.recurrent(torch.stack(features, 1))[0]).mean(1)
    assert torch.allclose(module(clips), said, atol=1e-5)
    assert not torch.allclose(module(clips), module(torch.cat([second, first], dim=2)), atol=1e-5)


def test_training_on_gestures_lowers_the_loss(narrow: None) -> None:
    images = open_images("gestures")
    network = network_at_start(ARCH, None, preprocessing_for(ARCH), images.classes, seed=0)
    batches = Batches(images, "finetune", network.preprocessing, limit=25, size=25)
    recipe = Recipe(learning_rate=3e-3, optimizer="adam", batch_size=5)
    splits = dict.fromkeys(("finetune", "validation"), batches)
    losses = [epoch.metrics.loss for epoch in epochs(network, splits, 4, Training(recipe))]
    assert losses[-1] < losses[0] - 0.1


@pytest.mark.parametrize("segments", [1, 3])
def test_a_clip_may_have_any_number_of_segments(segments: int) -> None:
    assert r3dcnn(num_classes=4).eval()(torch.zeros(2, 3, segments * SEGMENT, 64, 64)).shape == (2, 4)
