"""Joint pruning: in comes a network, out units that can go *together* while it goes on saying what it said.

With J[n, c, u] = dlogit_c / dg_u, the joint effect of any set S of closed gates is predicted without a forward pass as
`logits_n - sum over u in S of J[n, :, u]`. Greedily, the next unit is the one that keeps

    mean over n of KL(p_n || softmax(logits_n - sum over u in S of J[n, :, u]))

smallest; p_n is what the unpruned network says, so that no labels are needed. J is taken anew every few units, at the
network without those that are gone.
"""

from explorer.pruning.joint.greedy import JointOrder, Rules, order
from explorer.pruning.joint.selection import (
    NEGLIGIBLE_LOSS,
    SHARE_PER_LINEARISATION,
    Course,
    default_step,
    ranking,
    select,
)

__all__ = [
    "NEGLIGIBLE_LOSS",
    "SHARE_PER_LINEARISATION",
    "Course",
    "JointOrder",
    "Rules",
    "default_step",
    "order",
    "ranking",
    "select",
]
