"""A network as Python source: plain PyTorch that defines it with its widths, as a person would write it."""
