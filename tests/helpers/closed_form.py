"""A network whose loss, gradient, curvature and oracle are known in closed form.

One pixel x > 0, two units z_u = relu(a_u x + b_u), logits = V z. With p = softmax(logits) and a one-hot label y:

    dC/dg_u    = sum_c (p_c - y_c) V_cu z_u
    d2C/dg_u^2 = sum_c p_c (V_cu z_u)^2 - (sum_c p_c V_cu z_u)^2
    oracle     = C(logits - V_u z_u) - C(logits)
"""

from __future__ import annotations

import numpy as np
import torch
from networks_at_hand import Tensors
from networks_at_hand import network as network_of
from torch import nn

from explorer.networks.network import Network

A, B = np.array([1.0, -0.5]), np.array([0.25, 2.0])
V = np.array([[1.0, -2.0], [0.5, 1.5], [-1.0, 0.75]])
PIXELS = np.array([0.5, 1.0, 2.0, 3.0])
LABELS = np.array([0, 2, 1, 1])

Z = np.maximum(A * PIXELS[:, None] + B, 0)  # (N, units)
LOGITS = Z @ V.T  # (N, classes)
J = V[None] * Z[:, None]  # (N, classes, units): dlogit_c/dg_u


def cross_entropy(logits: np.ndarray) -> np.ndarray:
    return np.log(np.exp(logits).sum(1)) - logits[np.arange(len(LABELS)), LABELS]


P = np.exp(LOGITS) / np.exp(LOGITS).sum(1, keepdims=True)
GRADIENT = np.einsum("nc,ncu->nu", P - np.eye(3)[LABELS], J)
CURVATURE = np.einsum("nc,ncu->nu", P, J**2) - np.einsum("nc,ncu->nu", P, J) ** 2
CHANGES = np.stack([cross_entropy(LOGITS - J[:, :, u]) - cross_entropy(LOGITS) for u in range(2)], 1)  # (N, units)


def network() -> Network:
    module = nn.Sequential(nn.Conv2d(1, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(2, 3, bias=False))
    module[0].weight.data = torch.tensor(A, dtype=torch.float32).view(2, 1, 1, 1)
    module[0].bias.data = torch.tensor(B, dtype=torch.float32)
    module[3].weight.data = torch.tensor(V, dtype=torch.float32)
    return network_of(module, (1, 1, 1), "closed form")


def batches() -> Tensors:
    return Tensors(torch.tensor(PIXELS, dtype=torch.float32).view(-1, 1, 1, 1), torch.from_numpy(LABELS), size=3)
