"""Export page: in comes a state of the run, out its files, with the proof that they compute the same."""
