"""Scoring: in come a network and calibration images, out one saliency a unit, and the measured truth beside it."""
