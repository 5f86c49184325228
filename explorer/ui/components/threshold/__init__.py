"""Threshold: in come saliencies, out the threshold to which the line was moved."""
