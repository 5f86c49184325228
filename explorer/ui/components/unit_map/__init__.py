"""Unit map: in come units that stay or go, out the one that was clicked."""
