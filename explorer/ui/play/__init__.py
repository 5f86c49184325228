"""Play: in come a run and a ranking, out the way to the last unit, state by state, to watch and to scrub."""
