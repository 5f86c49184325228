"""Canvas: in come a pen's movements, out the picture that was drawn."""
