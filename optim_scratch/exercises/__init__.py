"""The checks behind the book's exercises; each chapter's stand in a module of its name.

A module is loaded when one of its exercises is asked for: it holds the solutions, and wrong answers
that must not pass.
"""

from .checking import EXERCISES, Exercise, check, load

__all__ = ["EXERCISES", "Exercise", "check", "load"]
