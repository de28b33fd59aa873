"""The checks behind the book's exercises; each chapter's stand in a module of its name."""

from . import (
    gradient_descent,
    loss_surfaces,
    momentum,
    plateau,
    step_decay,
    the_training_loop,
    vgg_on_cifar10,
)
from .checking import EXERCISES, Exercise, check

__all__ = [
    "EXERCISES",
    "Exercise",
    "check",
    "gradient_descent",
    "loss_surfaces",
    "momentum",
    "plateau",
    "step_decay",
    "the_training_loop",
    "vgg_on_cifar10",
]
