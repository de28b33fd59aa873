"""Schedulers: one module per kind; they touch an optimizer's groups and nothing else."""

from .exponential_lr import ExponentialLR
from .lambda_lr import LambdaLR
from .multi_step_lr import MultiStepLR
from .scheduler import LRScheduler
from .step_lr import StepLR

__all__ = ["ExponentialLR", "LRScheduler", "LambdaLR", "MultiStepLR", "StepLR"]
