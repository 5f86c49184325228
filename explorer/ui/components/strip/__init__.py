"""Strip: in come the widths of all layers, out the layer that was clicked."""
