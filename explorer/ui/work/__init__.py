"""Work: in comes a tab's address, out its run, what is computed of it, its jobs, and the changes that it may get."""
