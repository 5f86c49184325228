"""Runs: in come the steps that a person took, out trees of states on disk that open again, races and tunings too."""
