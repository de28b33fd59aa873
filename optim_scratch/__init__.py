"""Optimizers from Scratch: what moves the weights of a network, in readable NumPy."""

from . import optimizers, schedulers
from .parameter import Parameter

__version__ = "0.1.0"

__all__ = ["Parameter", "optimizers", "schedulers"]
