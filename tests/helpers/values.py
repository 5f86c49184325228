"""Saliencies that the tests of rankings share."""

from __future__ import annotations

import torch
from networks_at_hand import at_hand

UNITS = at_hand("plain").units  # layers of 5 and 6 units
FIRST, SECOND = slice(0, 5), slice(5, 11)
VALUES = torch.tensor([3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0, 5.0, 3.0, 5.0], dtype=torch.float64)
OTHER = torch.arange(11, dtype=torch.float64).roll(4)
