"""Networks: architectures, checkpoints, and the units that can be pruned."""
