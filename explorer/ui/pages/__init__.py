"""Pages: in comes the run in view, out a page about it; pages never import each other."""
