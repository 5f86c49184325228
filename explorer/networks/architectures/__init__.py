"""Architectures: in comes a name (torchvision, timm, own code), out an untrained module and its preprocessing."""
