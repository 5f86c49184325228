"""Pruning: in come saliencies, limits and a goal, out plans: which units go, step by step."""
