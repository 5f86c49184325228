"""Training: in come a network and training images, out updated weights: fine-tuned, distilled, or from scratch."""
