"""Optimizers: one module per method, all on one base."""

from optim_scratch.registry import methods

from .adafactor import Adafactor as Adafactor
from .adam import Adam as Adam
from .adamw import AdamW as AdamW
from .adamw_schedule_free import AdamWScheduleFree as AdamWScheduleFree
from .asgd import ASGD as ASGD
from .ema import EMA as EMA
from .lbfgs import LBFGS as LBFGS
from .lookahead import Lookahead as Lookahead
from .muon import Muon as Muon
from .nadam import NAdam as NAdam
from .optimizer import Optimizer as Optimizer
from .prodigy import Prodigy as Prodigy
from .rmsprop import RMSprop as RMSprop
from .sam import SAM as SAM
from .sgd import SGD as SGD
from .sgd_schedule_free import SGDScheduleFree as SGDScheduleFree
from .swa import SWA as SWA
from .wrapper import Wrapper as Wrapper

__all__ = ["Optimizer", "Wrapper"]
__all__ += [method.name for method in methods("optimizer")]
