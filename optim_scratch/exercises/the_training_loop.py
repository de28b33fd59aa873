"""Exercises of the chapter on the training loop."""
