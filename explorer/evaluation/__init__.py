"""Evaluation: in come a network and images, out the loss and the answer of each image, and a state in numbers."""
