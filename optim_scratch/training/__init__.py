"""Around the optimizer: updates counted, gradients accumulated, clipped; range test; groups."""

from .accumulation import Accumulator
from .clipping import clip_grad_norm_, clip_grad_value_
from .counting import total_updates
from .parameter_groups import decay_groups, layer_groups
from .rate_range import RangeTest, lr_range_test

__all__ = [
    "Accumulator",
    "RangeTest",
    "clip_grad_norm_",
    "clip_grad_value_",
    "decay_groups",
    "layer_groups",
    "lr_range_test",
    "total_updates",
]
