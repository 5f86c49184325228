"""Networks: in comes a file or a name, out a network with its preprocessing and the units that one gate each closes."""
