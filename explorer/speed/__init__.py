"""Speed: in come two networks, out how long each takes and how much memory, on this machine."""
