"""The checks behind the book's exercises; each chapter's stand in a module of its name."""

from . import (
    accumulation_and_clipping,
    bug_museum,
    composing_and_resuming,
    cosine_and_restarts,
    cyclic_and_one_cycle,
    gradient_descent,
    loss_surfaces,
    momentum,
    parameter_groups,
    plateau,
    step_decay,
    the_training_loop,
    vgg_on_cifar10,
    warmup,
)
from .checking import EXERCISES, Exercise, check

__all__ = [
    "EXERCISES",
    "Exercise",
    "accumulation_and_clipping",
    "bug_museum",
    "check",
    "composing_and_resuming",
    "cosine_and_restarts",
    "cyclic_and_one_cycle",
    "gradient_descent",
    "loss_surfaces",
    "momentum",
    "parameter_groups",
    "plateau",
    "step_decay",
    "the_training_loop",
    "vgg_on_cifar10",
    "warmup",
]
