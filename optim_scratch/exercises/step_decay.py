"""Exercises of the chapter on step decay."""
