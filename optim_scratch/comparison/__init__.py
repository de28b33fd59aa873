"""The comparison: optimizers on surfaces and problems, by their curves of sensitivity to the rate.

`make comparison` writes the file that it reads.
"""

from .measuring import GROUNDS, PROTOCOL, Ground
from .methods import ENTRIES, LEFT_OUT
from .reading import Curve, curve, curves, expected_best, prior, read

__all__ = [
    "ENTRIES",
    "GROUNDS",
    "LEFT_OUT",
    "PROTOCOL",
    "Curve",
    "Ground",
    "curve",
    "curves",
    "expected_best",
    "prior",
    "read",
]
