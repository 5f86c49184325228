"""Draw page: in comes a picture that a person made, out what the network makes of it, unit by unit."""
