"""Exercises of the chapter on loss surfaces."""
