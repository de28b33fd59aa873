"""Optimizers from Scratch: what moves the weights of a network, in readable NumPy.

This needs NumPy alone. `optim_scratch.plot` needs matplotlib too, and `optim_scratch.experiments`
PyTorch; neither is imported here.
"""

from . import exercises, optimizers, problems, registry, schedulers, surfaces
from .descent import Trajectory, descend
from .parameter import Parameter, RowSparse

__version__ = "0.1.0"

__all__ = [
    "Parameter",
    "RowSparse",
    "Trajectory",
    "descend",
    "exercises",
    "optimizers",
    "problems",
    "registry",
    "schedulers",
    "surfaces",
]
