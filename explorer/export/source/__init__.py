"""Source: in comes a graph, out plain PyTorch that defines it with its widths, as a person would write it."""
