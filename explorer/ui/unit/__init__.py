"""Unit: in comes one feature map, out a dialog on what it looks like and what it is worth."""
