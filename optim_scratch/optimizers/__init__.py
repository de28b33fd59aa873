"""Optimizers: one module per method, all on one base."""

from optim_scratch.registry import methods

from .adabelief import AdaBelief as AdaBelief
from .adabound import AdaBound as AdaBound
from .adadelta import Adadelta as Adadelta
from .adafactor import Adafactor as Adafactor
from .adagrad import Adagrad as Adagrad
from .adam import Adam as Adam
from .adamax import Adamax as Adamax
from .adamw import AdamW as AdamW
from .adamw_schedule_free import AdamWScheduleFree as AdamWScheduleFree
from .adan import Adan as Adan
from .asgd import ASGD as ASGD
from .ema import EMA as EMA
from .gradient_noise import GradientNoise as GradientNoise
from .lamb import LAMB as LAMB
from .lars import LARS as LARS
from .lbfgs import LBFGS as LBFGS
from .lion import Lion as Lion
from .lookahead import Lookahead as Lookahead
from .muon import Muon as Muon
from .nadam import NAdam as NAdam
from .optimizer import Optimizer as Optimizer
from .prodigy import Prodigy as Prodigy
from .radam import RAdam as RAdam
from .rmsprop import RMSprop as RMSprop
from .rprop import Rprop as Rprop
from .sam import SAM as SAM
from .sgd import SGD as SGD
from .sgd_schedule_free import SGDScheduleFree as SGDScheduleFree
from .sgdw import SGDW as SGDW
from .shampoo import Shampoo as Shampoo
from .sign_sgd import SignSGD as SignSGD
from .soap import SOAP as SOAP
from .sparse_adam import SparseAdam as SparseAdam
from .swa import SWA as SWA
from .swats import SWATS as SWATS
from .wrapper import Wrapper as Wrapper
from .yogi import Yogi as Yogi

__all__ = ["Optimizer", "Wrapper"]
__all__ += [method.name for method in methods("optimizer")]
