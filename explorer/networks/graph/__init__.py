"""Graph: in comes a module, out plain values for a file, and from them the module again without its class."""
