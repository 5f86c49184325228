"""Present: in comes a page as it is drawn, out one picture at a time with its sentence, in large type."""
