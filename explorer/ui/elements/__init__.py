"""Elements: in come sentences, numbers and figures, out how every page shows them."""
