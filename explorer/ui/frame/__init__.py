"""Frame: in comes the name of a page, out the strip and the bar above every page, and the page itself."""
