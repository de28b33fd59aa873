"""Optimizers: one module per method, all on one base."""

from optim_scratch.registry import methods

from .adafactor import Adafactor as Adafactor
from .adam import Adam as Adam
from .adamw import AdamW as AdamW
from .adamw_schedule_free import AdamWScheduleFree as AdamWScheduleFree
from .asgd import ASGD as ASGD
from .nadam import NAdam as NAdam
from .optimizer import Optimizer as Optimizer
from .prodigy import Prodigy as Prodigy
from .rmsprop import RMSprop as RMSprop
from .sgd import SGD as SGD
from .sgd_schedule_free import SGDScheduleFree as SGDScheduleFree
from .wrapper import Wrapper as Wrapper

__all__ = ["Optimizer", "Wrapper"]
__all__ += [method.name for method in methods("optimizer")]
