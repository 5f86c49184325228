"""Components: in come values, out drawings of our own that answer the mouse and the keyboard."""
