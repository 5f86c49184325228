"""Network page: in comes the run in view, out what is loaded, how good it is, and ways to open one's own."""
