"""Play: in come the states of a way as they are measured, out what a person wants of the one they look at."""
