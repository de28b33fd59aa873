"""Small learning problems with gradients by hand: between the 2-D picture and the real network.

A problem has a `start` of shape (d,), a `value` and a `gradient` that broadcast over points of
shape (..., d), and so can be handed to `optim_scratch.descent.descend`.
"""

from .digits import Digits
from .noisy_quadratic import NoisyQuadratic
from .sparse_logistic import SparseLogistic
from .spirals import SpiralMLP, spirals
from .zipf_classes import ZipfClasses

__all__ = ["Digits", "NoisyQuadratic", "SparseLogistic", "SpiralMLP", "ZipfClasses", "spirals"]
