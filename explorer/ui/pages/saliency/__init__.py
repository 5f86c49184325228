"""Saliency page: in comes the run in view, out what each feature map is worth, and a threshold by hand."""
