"""Our own small networks: two like VGG, the smaller one the embedded demo's, and the CIFAR form of ResNet."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import relu


class VggSmall(nn.Module):
    """(N, in_channels, 28, 28) -> (N, num_classes) logits, through three pairs of convolutions and no batch-norm."""

    def __init__(self, num_classes: int, in_channels: int, widths: tuple[int, int, int]) -> None:
        super().__init__()
        steps = pairwise((in_channels, *widths))
        self.features = nn.Sequential(*(layer for step in steps for layer in _vgg_pair(*step)))
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(0.5),
            nn.Linear(widths[-1] * 3 * 3, 128),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(128, num_classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Logits of a batch of images."""
        logits: Tensor = self.classifier(self.features(x))
        return logits


def _vgg_pair(read: int, write: int) -> tuple[nn.Module, ...]:
    """Two 3x3 convolutions, then half the height and width."""
    first, second = nn.Conv2d(read, write, 3, padding=1), nn.Conv2d(write, write, 3, padding=1)
    return first, nn.ReLU(), second, nn.ReLU(), nn.MaxPool2d(2)


class Block(nn.Module):
    """relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut(x)): the basic block of He et al. 2016, fig. 2."""

    def __init__(self, read: int, write: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(read, write, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(write)
        self.conv2 = nn.Conv2d(write, write, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(write)
        self.shortcut = nn.Identity() if read == write else fixed_shortcut(read, write, stride)

    def forward(self, x: Tensor) -> Tensor:
        """(N, read, H, W) -> (N, write, H / stride, W / stride)."""
        y = relu(self.bn1(self.conv1(x)))
        return relu(self.bn2(self.conv2(y)) + self.shortcut(x))


def fixed_shortcut(read: int, write: int, stride: int) -> nn.Conv2d:
    """Option A of He et al. 2016 as a 1x1 convolution: every stride-th row and column, zero channels on both sides.

    Its 0/1 kernel is a buffer outside the state dict: never trained, never looked for in a checkpoint. Being a
    convolution, it leaves the channels that it reads and those that it writes uncoupled, so both can be pruned.
    """
    shortcut = nn.Conv2d(read, write, 1, stride, bias=False)
    kernel = torch.zeros_like(shortcut.weight.detach())
    source = torch.arange(read)
    kernel[source + (write - read) // 2, source] = 1
    del shortcut.weight
    shortcut.register_buffer("weight", kernel, persistent=False)
    return shortcut


class CifarResNet(nn.Module):
    """(N, 3, H, W) -> (N, num_classes) logits; He et al. 2016, section 4.2, with option-A shortcuts.

    Three stages of `blocks` basic blocks with 16, 32 and 64 maps: depth 6 * blocks + 2.
    """

    def __init__(self, blocks: int, num_classes: int = 10) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = _stage(16, 16, blocks, stride=1)
        self.layer2 = _stage(16, 32, blocks, stride=2)
        self.layer3 = _stage(32, 64, blocks, stride=2)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.linear = nn.Linear(64, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of a batch of images."""
        x = relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        logits: Tensor = self.linear(self.pool(x).flatten(1))
        return logits


def _stage(read: int, write: int, blocks: int, stride: int) -> nn.Sequential:
    return nn.Sequential(Block(read, write, stride), *(Block(write, write, 1) for _ in range(blocks - 1)))


def vgg_small(num_classes: int = 10, in_channels: int = 1) -> VggSmall:
    """Six convolutions of 32, 32, 64, 64, 128, 128 maps for 28x28 images."""
    return VggSmall(num_classes, in_channels, (32, 64, 128))


def vgg_tiny(num_classes: int = 10, in_channels: int = 1) -> VggSmall:
    """The demo's network: six convolutions of 8, 8, 16, 16, 32, 32 maps for 28x28 images."""
    return VggSmall(num_classes, in_channels, (8, 16, 32))


def resnet20(num_classes: int = 10) -> CifarResNet:
    """CIFAR ResNet of depth 20."""
    return CifarResNet(3, num_classes)


def resnet32(num_classes: int = 10) -> CifarResNet:
    """CIFAR ResNet of depth 32."""
    return CifarResNet(5, num_classes)


def resnet56(num_classes: int = 10) -> CifarResNet:
    """CIFAR ResNet of depth 56."""
    return CifarResNet(9, num_classes)
