"""Schedulers: one module per kind; they touch an optimizer's groups and nothing else."""

from .chained_scheduler import ChainedScheduler
from .constant_lr import ConstantLR
from .cosine_annealing_lr import CosineAnnealingLR
from .cosine_annealing_warm_restarts import CosineAnnealingWarmRestarts
from .cyclic_lr import CyclicLR
from .exponential_lr import ExponentialLR
from .gradual_warmup_scheduler import GradualWarmupScheduler
from .inverse_sqrt_schedule import InverseSqrtSchedule
from .lambda_lr import LambdaLR
from .linear_lr import LinearLR
from .multi_step_lr import MultiStepLR
from .multiplicative_lr import MultiplicativeLR
from .noam_lr import NoamLR
from .one_cycle_lr import OneCycleLR
from .polynomial_lr import PolynomialLR
from .reduce_lr_on_plateau import ReduceLROnPlateau
from .rex_lr import REXLR
from .scheduler import LRScheduler, curve
from .sequential_lr import SequentialLR
from .step_lr import StepLR
from .swa_lr import SWALR
from .warmup_cosine_schedule import WarmupCosineSchedule
from .warmup_cosine_with_hard_restarts_schedule import WarmupCosineWithHardRestartsSchedule
from .warmup_linear_schedule import WarmupLinearSchedule
from .warmup_stable_decay_lr import WarmupStableDecayLR

__all__ = [
    "REXLR",
    "SWALR",
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "GradualWarmupScheduler",
    "InverseSqrtSchedule",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "NoamLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
    "WarmupCosineSchedule",
    "WarmupCosineWithHardRestartsSchedule",
    "WarmupLinearSchedule",
    "WarmupStableDecayLR",
    "curve",
]
