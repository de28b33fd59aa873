"""Schedulers: one module per kind; they touch an optimizer's groups and nothing else."""

from optim_scratch.registry import methods

from .chained_scheduler import ChainedScheduler as ChainedScheduler
from .constant_lr import ConstantLR as ConstantLR
from .cosine_annealing_lr import CosineAnnealingLR as CosineAnnealingLR
from .cosine_annealing_warm_restarts import (
    CosineAnnealingWarmRestarts as CosineAnnealingWarmRestarts,
)
from .cyclic_lr import CyclicLR as CyclicLR
from .exponential_lr import ExponentialLR as ExponentialLR
from .gradual_warmup_scheduler import GradualWarmupScheduler as GradualWarmupScheduler
from .inverse_sqrt_schedule import InverseSqrtSchedule as InverseSqrtSchedule
from .lambda_lr import LambdaLR as LambdaLR
from .linear_lr import LinearLR as LinearLR
from .multi_step_lr import MultiStepLR as MultiStepLR
from .multiplicative_lr import MultiplicativeLR as MultiplicativeLR
from .noam_lr import NoamLR as NoamLR
from .one_cycle_lr import OneCycleLR as OneCycleLR
from .polynomial_lr import PolynomialLR as PolynomialLR
from .preview import curve as curve
from .reduce_lr_on_plateau import ReduceLROnPlateau as ReduceLROnPlateau
from .rex_lr import REXLR as REXLR
from .scheduler import LRScheduler as LRScheduler
from .sequential_lr import SequentialLR as SequentialLR
from .step_lr import StepLR as StepLR
from .swa_lr import SWALR as SWALR
from .warmup_cosine_schedule import WarmupCosineSchedule as WarmupCosineSchedule
from .warmup_cosine_with_hard_restarts_schedule import (
    WarmupCosineWithHardRestartsSchedule as WarmupCosineWithHardRestartsSchedule,
)
from .warmup_linear_schedule import WarmupLinearSchedule as WarmupLinearSchedule
from .warmup_stable_decay_lr import WarmupStableDecayLR as WarmupStableDecayLR

__all__ = ["LRScheduler", "curve"]
__all__ += [method.name for method in methods("scheduler")]
