"""Oracle page: in comes the run in view, out what removing each single unit really does."""
