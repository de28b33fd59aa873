"""What the tests need to know of each optimizer: one description a method.

Parity, state, loading, refusals, dtype, tiles and runs at once are tested from these descriptions
and the class's own `limits`. A method without one fails with a sentence that says what to write.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from unittest import mock

import numpy as np
import prodigyopt
import pytest
import pytorch_optimizer
import schedulefree
import torch
from hypothesis import strategies as st
from pytorch_optimizer.optimizer.utils.matrix import compute_power_svd
from torch.optim import swa_utils

from optim_scratch import Parameter, RowSparse, registry
from optim_scratch import optimizers as ours
from optim_scratch.checks import untorched
from optim_scratch.optimizers import Optimizer

Shape = tuple[int, ...]
Hyper = dict[str, Any]
Make = Callable[..., Any]
Row = list[np.ndarray]

STEPS = 100


@dataclass(frozen=True)
class Description:
    """How to test a method.

    Parameters
    ----------
    settings : list of dict
        Arguments that reach every branch of the update, alone and together.
    groups : list of lists of dicts
        For each layout of groups, what the groups overrule; the last takes the parameters left.
    shapes : tuple of shapes
        Of the parameters; those that the method admits.
    make : callable
        From our class, parameters or groups, and arguments to an optimizer; a wrapper makes the
        one that it wraps here.
    reference : callable or None
        The same for torch's parameters; None for torch's class of the registry.
    held : str
        With a reference, what it is called, by its full name, and after a comma what was changed
        in it; the page on parity names it.
    read : callable
        From our or their optimizer and its parameters to the arrays that must agree.
    tolerance : float
        Of max|a − b| / max|b| after each step.
    steps : int
        How many are compared.
    crosses : bool
        Whether the reference's `state_dict` and ours are to be loaded by each other.
    drawn : dict of hypothesis strategies
        From which arguments are drawn, together and at random.
    admitted : callable
        What makes drawn arguments admissible together.
    partial : bool
        Whether the reference is one too where some parameters have no gradient.
    downhill : bool
        Whether gradients are to be those of a bowl, which tilts from step to step, and not drawn:
        for methods that estimate a distance, which gradients of nothing do not have.
    alike : bool
        Whether a run among others is the run alone, as it is not where each has noise of its own.
    awake : dict
        Settings with which a method that can do without a state has one.
    """

    settings: list[Hyper]
    groups: list[list[Hyper]] = field(default_factory=lambda: [[{}], [{"lr": 0.03}, {}]])
    shapes: tuple[Shape, ...] = ((3,), (4, 2), ())
    make: Make = lambda kind, params, **options: kind(params, **options)
    reference: Make | None = None
    held: str = ""
    read: Callable[[Any, Sequence[Any]], Row] = lambda optimizer, parameters: [
        values(p) for p in parameters
    ]
    tolerance: float = 1e-12
    steps: int = STEPS
    crosses: bool = True
    drawn: dict[str, st.SearchStrategy] = field(default_factory=lambda: {"lr": st.floats(1e-4, 1)})
    admitted: Callable[[Hyper], Hyper] = lambda options: options
    partial: bool = True
    downhill: bool = False
    alike: bool = True
    awake: Hyper = field(default_factory=dict)


def values(p: Any) -> np.ndarray:
    """The values of a parameter, ours or torch's."""
    return (p.data if isinstance(p, Parameter) else p.detach().numpy()).copy()


def admitted_by_sgd(options: Hyper) -> Hyper:
    """Nesterov's step wants momentum alone; uphill, decay must not outrun the parameter."""
    if options["nesterov"]:
        options |= {"dampening": 0.0, "momentum": max(options["momentum"], 0.01)}
    if options["maximize"]:
        options["weight_decay"] = min(options["weight_decay"], 0.5 / options["lr"])
    return options


def at_the_average(optimizer: Any, parameters: Sequence[Any]) -> Row:
    """A schedule-free method's y and x, ours or the reference's."""
    ys = [values(p) for p in parameters]
    if isinstance(optimizer, Optimizer):
        return ys + [optimizer.point(p).copy() for p in parameters]
    optimizer.eval()
    xs = [values(p) for p in parameters]
    optimizer.train()
    # the switch there and back rounds: put y back as it was
    for p, y in zip(parameters, ys, strict=True):
        p.data.copy_(torch.tensor(y))
    return ys + xs


def with_averages(optimizer: Any, parameters: Sequence[Any]) -> Row:
    """ASGD's points and their averages."""
    return [values(p) for p in parameters] + [
        np.copy(untorched(optimizer.state[p]["ax"])) for p in parameters if p in optimizer.state
    ]


def around(kind: Make, params: Any, **options: Any) -> Any:
    """Wrap SGD with momentum, or Adam if it is given betas; it takes what is not the wrapper's."""
    own = {name: value for name, value in options.items() if name in kind.limits}
    return kind(wrapped(ours, params, options, own), **own)


def wrapped(side: Any, params: Any, options: Hyper, own: Hyper) -> Any:
    """The optimizer that is wrapped, ours or torch's."""
    rest = {name: value for name, value in options.items() if name not in own}
    if "betas" in rest:
        return side.Adam(params, **rest)
    return side.SGD(params, **{"lr": 0.05, "momentum": 0.9, **rest})


def lookahead_reference(groups: Any, **options: Any) -> Any:
    """The implementation that others maintain."""
    own = {name: value for name, value in options.items() if name in ours.Lookahead.limits}
    return pytorch_optimizer.Lookahead(wrapped(torch.optim, groups, options, own), **own)


class SAMReference:
    """The implementation that others maintain, which wants the first gradient before a step."""

    def __init__(self, groups: Any, **options: Any) -> None:
        own = {name: value for name, value in options.items() if name in ("rho", "adaptive")}
        rest = {name: value for name, value in options.items() if name not in own}
        kind = torch.optim.Adam if "betas" in rest else torch.optim.SGD
        rest = rest if "betas" in rest else {"lr": 0.05, "momentum": 0.9, **rest}
        self.inner = pytorch_optimizer.SAM(groups, kind, **own, **rest)

    def step(self, closure: Callable[[], Any]) -> Any:
        closure()
        with mock.patch("pytorch_optimizer.optimizer.sam.get_global_gradient_norm", square_in_full):
            return self.inner.step(closure)


def square_in_full(groups: list[dict], **rest: Any) -> torch.Tensor:
    """The square of the norm in the gradients' own precision, not in the reference's float32."""
    return sum(
        ((p.abs() if group["adaptive"] else 1.0) * p.grad).square().sum()
        for group in groups
        for p in group["params"]
        if p.grad is not None
    ).reshape(1)


class AverageReference:
    """torch's AveragedModel, updated at the steps that ours takes in."""

    def __init__(self, groups: list[dict], **options: Any) -> None:
        names = ("start", "every", "decay")
        own = {name: value for name, value in options.items() if name in names}
        self.model = torch.nn.ParameterList([p for group in groups for p in group["params"]])
        average = swa_utils.get_ema_multi_avg_fn(own["decay"]) if "decay" in own else None
        self.averaged = swa_utils.AveragedModel(self.model, multi_avg_fn=average)
        self.optimizer = wrapped(torch.optim, groups, options, own)
        self.start, self.every, self.t = own.get("start", 0), own.get("every", 1), 0

    def step(self) -> None:
        self.optimizer.step()
        self.t += 1
        if self.t > self.start and (self.t - self.start) % self.every == 0:
            self.averaged.update_parameters(self.model)


def with_point(optimizer: Any, parameters: Sequence[Any]) -> Row:
    """Points and averages."""
    if isinstance(optimizer, AverageReference):
        averages = optimizer.averaged.module if optimizer.averaged.n_averaged else parameters
        return [values(p) for p in parameters] + [values(p) for p in averages]
    return [values(p) for p in parameters] + [optimizer.point(p).copy() for p in parameters]


class ExactMuon(torch.optim.Muon):
    """torch's, with singular values led by the polynomial itself, in float64."""

    def step(self, closure: Any = None) -> Any:
        name = "torch.optim._muon._zeropower_via_newtonschulz"
        with mock.patch(name, led_by_the_polynomial):
            return super().step(closure)


def led_by_the_polynomial(
    matrix: torch.Tensor, coefficients: tuple[float, float, float], steps: int, eps: float
) -> torch.Tensor:
    """What Newton's and Schulz's iteration does to singular values, done to them."""
    u, s, v = torch.linalg.svd(matrix, full_matrices=False)
    a, b, c = coefficients
    s = s / max(float(matrix.norm()), eps)
    for _ in range(steps):
        s = a * s + b * s**3 + c * s**5
    return u @ torch.diag(s) @ v


class ShampooReference(pytorch_optimizer.Shampoo):
    """The implementation that others maintain, with the authors' mean gradient, pauses, diagonals.

    Its roots and what it makes of a gradient by them are its own.
    """

    def __init__(
        self,
        groups: Any,
        decoupled_weight_decay: bool = False,
        max_precond_dim: int = 768,
        **options: Any,
    ) -> None:
        super().__init__(groups, weight_decouple=decoupled_weight_decay, **options)
        self.longest = max_precond_dim
        for group in self.param_groups:
            group["step"] = self.preconditioning_compute_steps - 1  # roots at the first gradient
            group["share"], group["momentum"] = group["momentum"], 0.0

    def root(self, matrix: torch.Tensor, power: float) -> torch.Tensor:
        kept = matrix if len(matrix) <= self.longest else torch.diag(matrix.diagonal())
        return compute_power_svd(kept, power)

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        with mock.patch("pytorch_optimizer.optimizer.shampoo.compute_power_svd", self.root):
            super().step(closure)
        for group in self.param_groups:
            for p in group["params"] if group["share"] else ():
                # it has stepped by P g: what is missing to P m is P (m − g)
                state = self.state[p]
                mean = state.setdefault("mean", torch.zeros_like(p))
                mean.lerp_(p.grad, 1 - group["share"])
                missing = mean - p.grad
                for axis in range(p.ndim):
                    root = state[f"inv_pre_cond_{axis}"]
                    missing = torch.tensordot(root, missing, ([1], [axis])).movedim(0, axis)
                p -= group["lr"] * missing


class SOAPReference(pytorch_optimizer.SOAP):
    """The implementation that others maintain, decomposing in the parameter's own precision."""

    def __init__(self, groups: Any, max_precond_dim: int = 10000, **options: Any) -> None:
        super().__init__(groups, max_precondition_dim=max_precond_dim, **options)

    def step(self, closure: Any = None) -> Any:
        with mock.patch.object(torch, "float32", torch.float64):
            return super().step(closure)


def admitted_by_soap(options: Hyper) -> Hyper:
    """The reference cannot merge all axes into one."""
    if options["merge_dims"]:
        options["max_precond_dim"] = min(options["max_precond_dim"], 4)
    return options


def in_training(kind: Make) -> Make:
    """Make a reference that must be switched to training."""

    def make(groups: Any, **options: Any) -> Any:
        optimizer = kind(groups, **options)
        optimizer.train()
        return optimizer

    return make


def sign_sgd_reference(groups: Any, **options: Any) -> Any:
    """Make the reference, whose momentum is 0.9 unless it is told."""
    return pytorch_optimizer.SignSGD(groups, **{"momentum": 0.0, **options})


def sgdw_reference(groups: Any, **options: Any) -> Any:
    """Make the reference with our default rate, which is SGD's."""
    return pytorch_optimizer.SGDW(groups, **{"lr": 1e-3, **options})


class YogiReference(pytorch_optimizer.Yogi):
    """The implementation that others maintain, with a mean gradient that begins at 0."""

    def init_group(self, group: dict[str, Any], **rest: Any) -> None:
        fresh = [p for p in group["params"] if p not in self.state]
        super().init_group(group, **rest)
        for p in fresh:
            if p in self.state:
                self.state[p]["exp_avg"].zero_()


class AdanReference(pytorch_optimizer.Adan):
    """The implementation that others maintain, for which the first change is 0 uphill too."""

    def init_group(self, group: dict[str, Any], **rest: Any) -> None:
        fresh = [p for p in group["params"] if p not in self.state]
        super().init_group(group, **rest)
        for p in fresh:
            if self.maximize and p in self.state:
                self.state[p]["previous_grad"].neg_()


class AdaBoundReference(pytorch_optimizer.AdaBound):
    """The implementation that others maintain, without the 1e-15 that it adds to every v."""

    def __init__(self, groups: Any, amsbound: bool = False, **options: Any) -> None:
        options |= {"ams_bound": amsbound, "weight_decouple": False, "foreach": False}
        super().__init__(groups, **options)

    @staticmethod
    def apply_ams_bound(*args: Any, **rest: Any) -> Any:
        return pytorch_optimizer.AdaBound.apply_ams_bound(*args, **{**rest, "exp_avg_sq_eps": 0.0})


class SWATSReference(pytorch_optimizer.SWATS):
    """The implementation that others maintain, with the paper's criterion and root."""

    def __init__(self, groups: Any, maximize: bool = False, **options: Any) -> None:
        options = {"eps": 1e-9, "foreach": False, **options}
        super().__init__(groups, maximize=maximize, **options)

    @staticmethod
    def apply_ams_bound(*args: Any, **rest: Any) -> Any:
        return pytorch_optimizer.SWATS.apply_ams_bound(*args, **{**rest, "exp_avg_sq_eps": 0.0})

    def step(self, closure: Any = None) -> Any:
        def nearer(a: torch.Tensor, b: torch.Tensor, rtol: float) -> bool:
            return bool((a - b).abs() < rtol)

        with mock.patch.object(torch.Tensor, "allclose", nearer):
            return super().step(closure)


class Lengths:
    """For torch's lengths of tensors: the first are bounded below, the second have ε taken off."""

    def __init__(self, low: float, eps: float) -> None:
        self.low, self.eps, self.norm, self.asked = low, eps, torch._foreach_norm, 0

    def __call__(self, tensors: list[torch.Tensor]) -> list[torch.Tensor]:
        self.asked += 1
        lengths = self.norm(tensors)
        return [n.clamp(min=self.low) if self.asked == 1 else n - self.eps for n in lengths]


class LAMBReference(pytorch_optimizer.Lamb):
    """The implementation that others maintain, made the paper's: a group's own φ, means without
    bias, none but the paper's ε, and parameters that are spared."""

    def __init__(self, groups: Any, **options: Any) -> None:
        own = {"clamp": (0.0, np.inf), "bias_correction": True, "scaled": "all"}
        theirs = {"weight_decay": 0.01, "weight_decouple": False, "adam_debias": True}
        super().__init__(groups, **{**own, **theirs, "foreach": True, **options})

    def _step_foreach(self, group: Hyper, *lists: Any) -> None:
        *lists, step_size = lists
        low, self.clamp = group["clamp"]
        if group["bias_correction"]:  # means whose β grows to what it is have no bias
            betas = tuple(self.debias_beta(beta, group["step"]) for beta in group["betas"])
            group = {**group, "betas": betas}
        scaled = [
            group["scaled"] == "all" or (group["scaled"] == "matrices" and p.ndim > 1)
            for p in lists[0]
        ]
        for chosen in (True, False):
            few = [
                [each for each, it in zip(those, scaled, strict=True) if it is chosen]
                if isinstance(those, list)
                else those
                for those in lists
            ]
            kept = group if chosen else {**group, "weight_decay": 0.0, "adam": True}
            if few[0]:
                with mock.patch("torch._foreach_norm", Lengths(low, group["eps"])):
                    super()._step_foreach(kept, *few, step_size)


class LARSReference(pytorch_optimizer.LARS):
    """The implementation that others maintain, told otherwise which parameters it spares."""

    def __init__(self, groups: Any, **options: Any) -> None:
        self.scaled = options.pop("scaled", "matrices")
        super().__init__(groups, **{"lr": 0.1, "foreach": False, **options})

    def _step_per_param(self, group: Hyper) -> None:
        axes = {"all": 2, "none": 1}.get(group.get("scaled", self.scaled))
        if axes is None:
            super()._step_per_param(group)
            return
        with mock.patch.object(torch.nn.Parameter, "ndim", axes, create=True):
            super()._step_per_param(group)


def by_themselves(groups: list[dict]) -> list[dict]:
    """Each parameter in a group of its own."""
    return [{**group, "params": [p]} for group in groups for p in group["params"]]


def apart(kind: Make, params: Any, **options: Any) -> Any:
    """Make an optimizer with each parameter in a group of its own, if there are groups."""
    grouped = isinstance(params, list) and isinstance(params[0], dict)
    several = grouped and all(isinstance(group["params"], list) for group in params)
    return kind(by_themselves(params) if several else params, **options)


class NoiseReference:
    """torch's optimizer, given gradients with noise."""

    def __init__(self, groups: list[dict], **options: Any) -> None:
        names = ("eta", "gamma", "seed")
        own = {name: value for name, value in options.items() if name in names}
        self.own = {"eta": 0.01, "gamma": 0.55, "seed": 0, **own}
        self.parameters = [p for group in groups for p in group["params"]]
        self.optimizer = wrapped(torch.optim, groups, options, own)
        self.t = 0

    def step(self) -> None:
        deviation = np.sqrt(self.own["eta"] * (self.t + 1.0) ** -self.own["gamma"])
        for i, p in enumerate(self.parameters):
            draw = np.random.default_rng((self.own["seed"], self.t, i)).normal(size=tuple(p.shape))
            if p.grad is not None:
                p.grad += deviation * torch.tensor(draw)
        self.optimizer.step()
        self.t += 1


def silent_prodigy(groups: Any, **options: Any) -> Any:
    """Make the reference, which prints that it decouples decay."""
    with contextlib.redirect_stdout(None):
        return prodigyopt.Prodigy(groups, **options)


DESCRIPTIONS: dict[str, Description] = {
    "SGD": Description(
        settings=[
            {"lr": 0.1},
            {"lr": 0.1, "maximize": True},
            {"lr": 0.1, "weight_decay": 0.01},
            {"lr": 0.01, "momentum": 0.9},
            {"lr": 0.01, "momentum": 0.9, "dampening": 0.3},
            {"lr": 0.01, "momentum": 0.9, "dampening": 0.9},
            {"lr": 0.1, "momentum": 0.0, "dampening": 0.5},
            {"lr": 0.01, "momentum": 0.9, "nesterov": True},
            {"lr": 0.01, "momentum": 0.9, "weight_decay": 5e-4},
            {"lr": 0.01, "momentum": 0.9, "dampening": 0.1, "weight_decay": 0.1, "maximize": True},
            {"lr": 0.01, "momentum": 0.99, "nesterov": True, "weight_decay": 0.1, "maximize": True},
            {"lr": 0.0, "momentum": 0.9},
            {},
        ],
        groups=[
            [{}],
            [{"lr": 0.3}, {"momentum": 0.5}],
            [{"weight_decay": 0.1}, {}, {"lr": 0.02, "maximize": True}],
        ],
        drawn={
            "lr": st.floats(1e-4, 1.0),
            "momentum": st.floats(0.0, 0.99),
            "dampening": st.floats(0.0, 1.0),
            "weight_decay": st.floats(0.0, 0.5),
            "nesterov": st.booleans(),
            "maximize": st.booleans(),
        },
        admitted=admitted_by_sgd,
        awake={"momentum": 0.9},
    ),
    "Adam": Description(
        settings=[
            {},
            {"lr": 0.1},
            {"lr": 0.1, "maximize": True},
            {"lr": 0.0},
            {"lr": 0.01, "betas": (0.5, 0.9)},
            {"lr": 0.01, "betas": (0.0, 0.999)},
            {"lr": 0.01, "betas": (0.9, 0.0)},
            {"lr": 0.01, "betas": (0.0, 0.0)},
            {"lr": 0.01, "eps": 0.1},
            {"lr": 0.01, "weight_decay": 0.1},
            {"lr": 0.1, "betas": (0.8, 0.99), "weight_decay": 0.5, "maximize": True},
            {"lr": 0.01, "amsgrad": True},
            {"lr": 0.01, "betas": (0.5, 0.5), "amsgrad": True},
            {"lr": 0.1, "eps": 1e-3, "weight_decay": 0.01, "amsgrad": True, "maximize": True},
            {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True},
        ],
        # no decay of the first parameter, which has an entry without gradient: decay alone drives
        # it to and fro across 0 in steps that do not shrink with it, and rounding errors grow from
        # each to the next when the betas are small
        groups=[
            [{}],
            [{"lr": 0.3}, {"betas": (0.7, 0.95)}],
            [{"amsgrad": True}, {"weight_decay": 0.1}, {"lr": 0.02, "maximize": True, "eps": 1e-4}],
        ],
        drawn={
            "lr": st.floats(1e-4, 0.1),
            "betas": st.tuples(st.floats(0.0, 0.999), st.floats(0.9, 0.9999)),
            "eps": st.floats(1e-12, 0.1),
            "weight_decay": st.floats(0.0, 0.5),
            "amsgrad": st.booleans(),
            "maximize": st.booleans(),
            "decoupled_weight_decay": st.booleans(),
        },
    ),
    "SparseAdam": Description(
        settings=[
            {},
            {"lr": 0.1, "maximize": True},
            {"betas": (0.5, 0.9)},
            {"betas": (0.0, 0.99)},
            # not 0: torch's v + (1 − β₂)(g² − v) then loses the digits of a small g
            {"betas": (0.9, 0.3)},
            {"eps": 0.1},
            {"lr": 0.1, "betas": (0.8, 0.99), "eps": 1e-3, "maximize": True},
        ],
        groups=[[{}], [{"lr": 0.03, "betas": (0.7, 0.9)}, {"eps": 0.1}, {"maximize": True}]],
        shapes=((3,), (4, 2), (2, 3, 2)),
        drawn={
            "lr": st.floats(1e-4, 0.1),
            "betas": st.tuples(st.floats(0.0, 0.999), st.floats(0.9, 0.9999)),
            "eps": st.floats(1e-12, 0.1),
            "maximize": st.booleans(),
        },
    ),
    "RMSprop": Description(
        settings=[
            {},
            {"lr": 0.1, "maximize": True},
            {"alpha": 0.5},
            {"alpha": 0.0},
            {"eps": 0.1},
            {"weight_decay": 0.1},
            {"momentum": 0.9},
            {"centered": True, "eps": 1e-3},
            {"momentum": 0.8, "centered": True, "eps": 0.1, "weight_decay": 0.1, "maximize": True},
        ],
        # centred and without memory, the variance is 0 but for rounding: see test_rmsprop.py
        groups=[
            [{}],
            [{"lr": 0.03, "momentum": 0.5}, {"alpha": 0.9}, {"centered": True, "alpha": 0.9}],
        ],
        drawn={
            "lr": st.floats(1e-4, 0.1),
            "alpha": st.floats(0.5, 0.999),
            # the variance of few gradients may be 0 but for rounding, which ε must outweigh
            "eps": st.floats(1e-3, 0.1),
            "weight_decay": st.floats(0.0, 0.5),
            "momentum": st.floats(0.0, 0.95),
            "centered": st.booleans(),
            "maximize": st.booleans(),
        },
    ),
    "SGDW": Description(
        settings=[
            {"lr": 0.1},
            {"lr": 0.1, "maximize": True},
            {"lr": 0.1, "weight_decay": 0.1},
            {"lr": 0.01, "momentum": 0.9},
            {"lr": 0.01, "momentum": 0.9, "dampening": 0.3},
            {"lr": 0.01, "momentum": 0.9, "nesterov": True, "weight_decay": 0.5},
            {"lr": 0.0, "momentum": 0.9, "weight_decay": 0.5},
            {"lr": 0.01, "momentum": 0.9, "dampening": 0.1, "weight_decay": 0.1, "maximize": True},
            {},
        ],
        groups=[[{}], [{"lr": 0.3}, {"momentum": 0.5}, {"weight_decay": 0.1}]],
        reference=sgdw_reference,
        held="pytorch_optimizer.SGDW",
        crosses=False,
        drawn={
            "lr": st.floats(1e-4, 1.0),
            "momentum": st.floats(0.0, 0.99),
            "dampening": st.floats(0.0, 1.0),
            "weight_decay": st.floats(0.0, 0.5),
            "nesterov": st.booleans(),
            "maximize": st.booleans(),
        },
        admitted=admitted_by_sgd,
        awake={"momentum": 0.9},
    ),
    "Adagrad": Description(
        settings=[
            {},
            {"lr": 0.1, "maximize": True},
            {"lr_decay": 0.1},
            {"weight_decay": 0.1},
            {"initial_accumulator_value": 0.5},
            {"eps": 0.1},
            {"lr": 0.0},
            {
                "lr": 0.1,
                "lr_decay": 0.01,
                "weight_decay": 0.1,
                "initial_accumulator_value": 0.1,
                "eps": 1e-3,
                "maximize": True,
            },
        ],
        groups=[[{}], [{"lr": 0.03, "lr_decay": 0.1}, {"weight_decay": 0.2}, {"maximize": True}]],
        drawn={
            "lr": st.floats(1e-4, 1.0),
            "lr_decay": st.floats(0.0, 1.0),
            "weight_decay": st.floats(0.0, 0.5),
            "initial_accumulator_value": st.floats(0.0, 1.0),
            "eps": st.floats(1e-12, 0.1),
            "maximize": st.booleans(),
        },
    ),
    "Adadelta": Description(
        settings=[
            {},
            {"lr": 0.1, "maximize": True},
            {"rho": 0.5},
            {"rho": 0.0},
            {"eps": 0.1},
            {"weight_decay": 0.1},
            {"lr": 0.0},
            {"lr": 0.5, "rho": 0.8, "eps": 1e-3, "weight_decay": 0.1, "maximize": True},
        ],
        groups=[[{}], [{"lr": 0.3, "rho": 0.5}, {"eps": 1e-3}, {"weight_decay": 0.2}]],
        drawn={
            "lr": st.floats(1e-3, 1.0),
            "rho": st.floats(0.1, 0.99),
            "eps": st.floats(1e-8, 0.1),
            "weight_decay": st.floats(0.0, 0.5),
            "maximize": st.booleans(),
        },
    ),
    "Adamax": Description(
        settings=[
            {},
            {"lr": 0.1, "maximize": True},
            {"betas": (0.5, 0.9)},
            {"betas": (0.0, 0.999)},
            {"betas": (0.9, 0.0)},
            {"eps": 0.1},
            {"weight_decay": 0.1},
            {"lr": 0.0},
            {"lr": 0.1, "betas": (0.8, 0.99), "eps": 1e-3, "weight_decay": 0.1, "maximize": True},
        ],
        groups=[[{}], [{"lr": 0.03, "betas": (0.7, 0.9)}, {"eps": 0.1}, {"weight_decay": 0.2}]],
        drawn={
            "lr": st.floats(1e-4, 0.1),
            "betas": st.tuples(st.floats(0.0, 0.99), st.floats(0.5, 0.9999)),
            "eps": st.floats(1e-12, 0.1),
            "weight_decay": st.floats(0.0, 0.5),
            "maximize": st.booleans(),
        },
    ),
    "RAdam": Description(
        settings=[
            {},
            {"lr": 0.1, "maximize": True},
            {"lr": 0.0},
            {"betas": (0.5, 0.9)},  # rectified from step 8 on
            {"betas": (0.0, 0.99)},
            {"betas": (0.9, 0.6)},  # never
            {"betas": (0.9, 0.0)},
            {"eps": 0.1},
            {"weight_decay": 0.1},
            {"weight_decay": 0.1, "decoupled_weight_decay": True},
            {"lr": 0.1, "betas": (0.8, 0.99), "eps": 1e-3, "weight_decay": 0.1, "maximize": True},
        ],
        groups=[[{}], [{"lr": 0.03, "betas": (0.7, 0.9)}, {"eps": 0.1}, {"weight_decay": 0.2}]],
        drawn={
            "lr": st.floats(1e-4, 0.1),
            "betas": st.tuples(st.floats(0.0, 0.99), st.floats(0.0, 0.9999)),
            "eps": st.floats(1e-12, 0.1),
            "weight_decay": st.floats(0.0, 0.5),
            "decoupled_weight_decay": st.booleans(),
            "maximize": st.booleans(),
        },
    ),
    "Yogi": Description(
        settings=[
            {},
            {"lr": 0.1, "maximize": True},
            {"betas": (0.5, 0.9)},
            {"betas": (0.0, 0.99)},
            {"betas": (0.9, 0.0)},
            {"eps": 0.1},
            {"initial_accumulator": 0.5},
            {"initial_accumulator": 0.0},
            {"weight_decay": 0.1},
            {"lr": 0.0},
            {
                "lr": 0.1,
                "betas": (0.8, 0.99),
                "initial_accumulator": 0.1,
                "weight_decay": 0.5,
                "maximize": True,
            },
        ],
        groups=[[{}], [{"lr": 0.03}, {"betas": (0.7, 0.9)}, {"weight_decay": 0.2, "eps": 0.01}]],
        reference=YogiReference,
        held="pytorch_optimizer.Yogi, with a mean gradient that begins at 0",
        crosses=False,
        partial=False,
        drawn={
            "lr": st.floats(1e-4, 0.1),
            "betas": st.tuples(st.floats(0.0, 0.99), st.floats(0.5, 0.9999)),
            "eps": st.floats(1e-6, 0.1),
            "initial_accumulator": st.floats(1e-6, 1.0),
            "weight_decay": st.floats(0.0, 0.5),
            "maximize": st.booleans(),
        },
    ),
    "AdaBelief": Description(
        settings=[
            {},
            {"eps": 1e-8, "lr": 0.1, "maximize": True},
            {"eps": 1e-8, "betas": (0.5, 0.9)},
            {"eps": 1e-8, "betas": (0.9, 0.0)},
            {"eps": 0.1},
            {"eps": 1e-8, "weight_decay": 0.1},
            {"eps": 1e-8, "lr": 0.0},
            {"lr": 0.1, "betas": (0.8, 0.99), "eps": 1e-3, "weight_decay": 0.5, "maximize": True},
        ],
        groups=[[{}], [{"lr": 0.03}, {"betas": (0.7, 0.9)}, {"weight_decay": 0.2, "eps": 0.01}]],
        reference=pytorch_optimizer.AdaBelief,
        held="pytorch_optimizer.AdaBelief",
        crosses=False,
        partial=False,
        drawn={
            "lr": st.floats(1e-4, 0.1),
            "betas": st.tuples(st.floats(0.1, 0.99), st.floats(0.5, 0.9999)),
            # the first deviation may be 0 but for rounding, which ε must outweigh
            "eps": st.floats(1e-8, 0.1),
            "weight_decay": st.floats(0.0, 0.5),
            "maximize": st.booleans(),
        },
    ),
    "Adan": Description(
        settings=[
            {},
            {"betas": (0.9, 0.5, 0.9)},
            {"betas": (0.0, 0.9, 0.99)},
            {"betas": (0.9, 0.0, 0.99)},
            {"betas": (0.9, 0.9, 0.0)},
            {"eps": 0.1},
            {"weight_decay": 0.1},
            {"lr": 0.0},
            {"lr": 0.1, "maximize": True},
            {
                "lr": 0.1,
                "betas": (0.8, 0.8, 0.95),
                "eps": 1e-3,
                "weight_decay": 0.5,
                "maximize": True,
            },
        ],
        groups=[[{}], [{"lr": 0.03}, {"betas": (0.7, 0.8, 0.9)}, {"weight_decay": 0.2}]],
        reference=AdanReference,
        held="pytorch_optimizer.Adan, with a first difference of 0 where it goes uphill too",
        crosses=False,
        partial=False,
        drawn={
            "lr": st.floats(1e-4, 0.1),
            "betas": st.tuples(st.floats(0.0, 0.99), st.floats(0.0, 0.99), st.floats(0.5, 0.9999)),
            "eps": st.floats(1e-8, 0.1),
            "weight_decay": st.floats(0.0, 0.5),
            "maximize": st.booleans(),
        },
    ),
    "AdaBound": Description(
        settings=[
            {},
            {"lr": 0.1, "maximize": True},
            {"gamma": 0.1},
            {"gamma": 10.0, "final_lr": 0.01},
            {"betas": (0.5, 0.9)},
            {"betas": (0.9, 0.0)},
            {"eps": 0.1},
            {"weight_decay": 0.1},
            {"amsbound": True},
            {"lr": 0.0},
            {
                "lr": 0.1,
                "betas": (0.8, 0.99),
                "final_lr": 0.5,
                "gamma": 0.05,
                "eps": 1e-3,
                "weight_decay": 0.1,
                "amsbound": True,
                "maximize": True,
            },
        ],
        groups=[[{}], [{"lr": 0.03}, {"gamma": 0.1}, {"weight_decay": 0.2, "final_lr": 0.5}]],
        reference=AdaBoundReference,
        held="pytorch_optimizer.AdaBound, without the ε that it adds to v",
        crosses=False,
        partial=False,
        drawn={
            "lr": st.floats(1e-4, 0.1),
            "betas": st.tuples(st.floats(0.0, 0.99), st.floats(0.5, 0.9999)),
            "final_lr": st.floats(1e-3, 1.0),
            "gamma": st.floats(1e-4, 1.0),
            "eps": st.floats(1e-8, 0.1),
            "weight_decay": st.floats(0.0, 0.5),
            "amsbound": st.booleans(),
            "maximize": st.booleans(),
        },
    ),
    "Rprop": Description(
        settings=[
            {},
            {"lr": 0.1, "maximize": True},
            {"etas": (0.3, 1.5)},
            {"step_sizes": (1e-3, 0.02)},
            {"lr": 0.0},
            {"lr": 0.1, "etas": (0.7, 1.05), "step_sizes": (0.01, 0.1), "maximize": True},
        ],
        groups=[[{}], [{"lr": 0.03}, {"etas": (0.4, 1.1)}, {"step_sizes": (1e-2, 1.0)}]],
        drawn={
            "lr": st.floats(1e-4, 0.1),
            "etas": st.tuples(st.floats(0.1, 0.9), st.floats(1.01, 2.0)),
            "step_sizes": st.tuples(st.floats(1e-8, 1e-3), st.floats(1e-2, 10.0)),
            "maximize": st.booleans(),
        },
    ),
    "SignSGD": Description(
        settings=[
            {},
            {"lr": 0.1, "maximize": True},
            {"momentum": 0.9},
            {"weight_decay": 0.1},
            {"lr": 0.0, "momentum": 0.5},
            {"lr": 0.1, "momentum": 0.8, "weight_decay": 0.1, "maximize": True},
        ],
        groups=[[{}], [{"lr": 0.03}, {"momentum": 0.5}, {"weight_decay": 0.2}]],
        reference=sign_sgd_reference,
        held="pytorch_optimizer.SignSGD",
        crosses=False,
        drawn={
            "lr": st.floats(1e-4, 0.1),
            "momentum": st.floats(0.0, 0.99),
            "weight_decay": st.floats(0.0, 0.5),
            "maximize": st.booleans(),
        },
        awake={"momentum": 0.9},
    ),
    "Lion": Description(
        settings=[
            {},
            {"lr": 0.1, "maximize": True},
            {"betas": (0.5, 0.9)},
            {"betas": (0.0, 0.99)},
            {"betas": (0.9, 0.0)},
            {"weight_decay": 0.1},
            {"lr": 0.0},
            {"lr": 0.1, "betas": (0.95, 0.98), "weight_decay": 0.5, "maximize": True},
        ],
        groups=[[{}], [{"lr": 0.03}, {"betas": (0.7, 0.9)}, {"weight_decay": 0.2}]],
        reference=pytorch_optimizer.Lion,
        held="pytorch_optimizer.Lion",
        crosses=False,
        drawn={
            "lr": st.floats(1e-4, 0.1),
            "betas": st.tuples(st.floats(0.0, 0.99), st.floats(0.0, 0.999)),
            "weight_decay": st.floats(0.0, 0.5),
            "maximize": st.booleans(),
        },
    ),
    "SGDScheduleFree": Description(
        settings=[
            {"lr": 0.1},
            {},
            {"lr": 0.1, "momentum": 0.5},
            {"lr": 0.1, "weight_decay": 0.1},
            {"lr": 0.1, "warmup_steps": 10},
            {"lr": 0.1, "r": 1.0},
            {"lr": 0.1, "warmup_steps": 20, "weight_lr_power": 0.0, "r": 0.5, "momentum": 0.95},
            {"lr": 0.0},
        ],
        groups=[[{}], [{"lr": 0.03, "momentum": 0.7}, {"warmup_steps": 5}, {"weight_decay": 0.1}]],
        reference=in_training(schedulefree.SGDScheduleFree),
        held="schedulefree.SGDScheduleFree",
        read=at_the_average,
        crosses=False,
        drawn={
            "lr": st.floats(1e-4, 1.0),
            "momentum": st.floats(0.1, 0.99),
            "weight_decay": st.floats(0.0, 0.5),
            "warmup_steps": st.integers(0, 60),
            "r": st.floats(0.0, 2.0),
            "weight_lr_power": st.floats(0.0, 2.0),
        },
    ),
    "AdamWScheduleFree": Description(
        settings=[
            {},
            {"lr": 0.1, "betas": (0.5, 0.9)},
            {"lr": 0.1, "eps": 0.1},
            {"lr": 0.1, "weight_decay": 0.1},
            {"lr": 0.1, "warmup_steps": 10},
            {"lr": 0.1, "r": 1.0, "betas": (0.95, 0.99)},
            {"lr": 0.1, "warmup_steps": 20, "weight_lr_power": 0.0, "weight_decay": 0.5},
        ],
        groups=[[{}], [{"lr": 0.03, "betas": (0.7, 0.9)}, {"warmup_steps": 5}, {"eps": 0.1}]],
        reference=in_training(schedulefree.AdamWScheduleFree),
        held="schedulefree.AdamWScheduleFree",
        read=at_the_average,
        crosses=False,
        drawn={
            "lr": st.floats(1e-4, 0.1),
            "betas": st.tuples(st.floats(0.1, 0.99), st.floats(0.5, 0.9999)),
            "eps": st.floats(1e-12, 0.1),
            "weight_decay": st.floats(0.0, 0.5),
            "warmup_steps": st.integers(0, 60),
            "r": st.floats(0.0, 2.0),
            "weight_lr_power": st.floats(0.0, 2.0),
        },
    ),
    "LARS": Description(
        settings=[
            {},
            {"lr": 10.0, "maximize": True},
            {"momentum": 0.0},
            {"momentum": 0.0, "weight_decay": 0.1, "trust_coefficient": 0.1},
            {"weight_decay": 0.1, "trust_coefficient": 0.02},
            {"lr": 0.1, "scaled": "all", "trust_coefficient": 0.3},
            {"lr": 0.1, "scaled": "none", "weight_decay": 0.1},
            {"lr": 0.0},
            {
                "lr": 0.3,
                "momentum": 0.5,
                "weight_decay": 0.5,
                "trust_coefficient": 0.1,
                "scaled": "all",
                "maximize": True,
            },
        ],
        groups=[
            [{}],
            [{"lr": 0.3, "momentum": 0.5}, {"weight_decay": 0.2}, {"trust_coefficient": 0.1}],
            [{"scaled": "all"}, {"scaled": "none", "lr": 0.1}, {"lr": 0.1}],
        ],
        shapes=((3,), (4, 2), (2, 3, 2), ()),
        reference=LARSReference,
        held="pytorch_optimizer.LARS, with a choice of the parameters that have no ratio",
        crosses=False,
        drawn={
            "lr": st.floats(1e-4, 1.0),
            "momentum": st.floats(0.0, 0.99),
            "weight_decay": st.floats(0.0, 0.5),
            "trust_coefficient": st.floats(1e-4, 0.1),
            "scaled": st.sampled_from(["all", "matrices", "none"]),
            "maximize": st.booleans(),
        },
    ),
    "LAMB": Description(
        settings=[
            {},
            {"lr": 0.1, "maximize": True},
            {"betas": (0.5, 0.9)},
            {"betas": (0.0, 0.99), "weight_decay": 0.0},
            {"betas": (0.9, 0.0)},
            {"eps": 0.1, "weight_decay": 0.5},
            {"bias_correction": False},
            {"lr": 0.1, "clamp": (0.5, 1.5)},
            {"scaled": "matrices", "weight_decay": 0.1},
            {"scaled": "none", "weight_decay": 0.1},
            {"lr": 0.0},
            {
                "lr": 0.1,
                "betas": (0.8, 0.99),
                "eps": 1e-3,
                "weight_decay": 0.5,
                "clamp": (0.1, 10.0),
                "bias_correction": False,
                "scaled": "matrices",
                "maximize": True,
            },
        ],
        groups=[
            [{}],
            [{"lr": 0.03}, {"betas": (0.7, 0.9), "eps": 0.01}, {"weight_decay": 0.2}],
            [{"scaled": "none"}, {"clamp": (2.0, 3.0)}, {"bias_correction": False}],
        ],
        shapes=((3,), (4, 2), (2, 3, 2), ()),
        reference=LAMBReference,
        held="pytorch_optimizer.Lamb, with the paper's bounds and bias correction",
        crosses=False,
        partial=False,
        drawn={
            "lr": st.floats(1e-4, 0.1),
            "betas": st.tuples(st.floats(0.0, 0.99), st.floats(0.5, 0.9999)),
            "eps": st.floats(1e-8, 0.1),
            "weight_decay": st.floats(0.0, 0.5),
            "clamp": st.tuples(st.floats(0.0, 1.0), st.floats(1.0, 10.0)),
            "bias_correction": st.booleans(),
            "scaled": st.sampled_from(["all", "matrices", "none"]),
            "maximize": st.booleans(),
        },
    ),
    "Prodigy": Description(
        settings=[
            {},
            {"d0": 1e-2},
            {"d0": 1e-2, "lr": 0.5, "betas": (0.8, 0.9)},
            {"d0": 1e-2, "beta3": 0.5},
            {"d0": 1e-2, "weight_decay": 0.1},
            {"d0": 1e-2, "weight_decay": 0.1, "decouple": False},
            {"d0": 1e-2, "use_bias_correction": True, "eps": 0.1},
            {"d0": 1e-2, "safeguard_warmup": True, "lr": 0.3},
            {"d0": 1e-3, "growth_rate": 1.02, "d_coef": 2.0},
            {"d0": 1e-2, "slice_p": 3},
        ],
        # one estimate for all: a group may differ in what is its own, and stand still
        groups=[[{}], [{"eps": 0.1}, {"lr": 0.0}, {"weight_decay": 0.2}]],
        reference=silent_prodigy,
        held="prodigyopt.Prodigy",
        downhill=True,
        crosses=False,
        drawn={
            "lr": st.floats(0.1, 1.0),
            "betas": st.tuples(st.floats(0.1, 0.95), st.floats(0.5, 0.999)),
            "beta3": st.none() | st.floats(0.1, 0.99),
            "eps": st.floats(1e-8, 0.1),
            "weight_decay": st.floats(0.0, 0.5),
            "decouple": st.booleans(),
            "use_bias_correction": st.booleans(),
            "safeguard_warmup": st.booleans(),
            # how far it is from its start is at first a difference of nearly equal numbers: from
            # less than this the reference is not equal to itself, see test_prodigy.py
            "d0": st.floats(1e-2, 0.1),
            "d_coef": st.floats(0.5, 2.0),
            "growth_rate": st.just(float("inf")) | st.floats(1.01, 2.0),
            "slice_p": st.integers(1, 4),
        },
    ),
    "AdamW": Description(
        settings=[
            {},
            {"lr": 0.1, "maximize": True},
            {"lr": 0.01, "betas": (0.5, 0.9), "weight_decay": 0.5},
            {"lr": 0.01, "eps": 0.1, "weight_decay": 0.0},
            {"lr": 0.01, "weight_decay": 0.1, "amsgrad": True},
        ],
        groups=[[{}], [{"lr": 0.3}, {"weight_decay": 0.5}, {"betas": (0.7, 0.95), "eps": 1e-4}]],
        drawn={
            "lr": st.floats(1e-4, 0.1),
            "betas": st.tuples(st.floats(0.0, 0.999), st.floats(0.9, 0.9999)),
            "eps": st.floats(1e-12, 0.1),
            "weight_decay": st.floats(0.0, 1.0),
            "amsgrad": st.booleans(),
            "maximize": st.booleans(),
        },
    ),
    "NAdam": Description(
        settings=[
            {},
            {"lr": 0.1, "maximize": True},
            {"lr": 0.01, "betas": (0.5, 0.9)},
            {"lr": 0.01, "betas": (0.0, 0.99)},
            {"lr": 0.01, "eps": 0.1},
            {"lr": 0.01, "momentum_decay": 0.1},
            {"lr": 0.01, "weight_decay": 0.1},
            {"lr": 0.01, "weight_decay": 0.1, "decoupled_weight_decay": True},
        ],
        groups=[[{}], [{"lr": 0.3}, {"momentum_decay": 0.5}, {"betas": (0.7, 0.95)}]],
        drawn={
            "lr": st.floats(1e-4, 0.1),
            "betas": st.tuples(st.floats(0.0, 0.99), st.floats(0.9, 0.9999)),
            "eps": st.floats(1e-12, 0.1),
            "weight_decay": st.floats(0.0, 0.5),
            "momentum_decay": st.floats(0.0, 1.0),
            "decoupled_weight_decay": st.booleans(),
            "maximize": st.booleans(),
        },
    ),
    "ASGD": Description(
        settings=[
            {},
            {"lr": 0.1, "t0": 20},
            {"lr": 0.1, "t0": 0, "lambd": 0.1, "alpha": 1.0},
            {"lr": 0.1, "t0": 50.5, "lambd": 0.0, "maximize": True},
            {"lr": 0.1, "t0": -5, "weight_decay": 0.1, "alpha": 0.5},
        ],
        groups=[[{}], [{"lr": 0.03, "t0": 5}, {"lambd": 0.5}, {"t0": 10, "weight_decay": 0.1}]],
        read=with_averages,
        drawn={
            "lr": st.floats(1e-4, 0.5),
            "lambd": st.floats(0.0, 1.0),
            "alpha": st.floats(0.0, 2.0),
            "t0": st.floats(0.0, 60.0),
            "weight_decay": st.floats(0.0, 0.5),
            "maximize": st.booleans(),
        },
    ),
    "Adafactor": Description(
        settings=[
            {},
            {"lr": 0.5},
            {"lr": 0.1, "beta2_decay": -0.5, "maximize": True},
            {"lr": 0.1, "eps": (1e-3, 0.5)},
            {"lr": 0.1, "d": 3.0, "weight_decay": 0.1},
            {"lr": 0.1, "beta2_decay": 0.0},
        ],
        groups=[[{}], [{"lr": 0.3}, {"d": 2.0}, {"eps": (None, 0.1)}]],
        shapes=((3,), (4, 2), (2, 3, 4), ()),
        drawn={
            "lr": st.floats(1e-4, 0.5),
            "beta2_decay": st.floats(-1.0, -0.1),
            "eps": st.tuples(st.none() | st.floats(1e-12, 0.1), st.floats(0.0, 0.5)),
            "d": st.floats(1.0, 3.0),
            "weight_decay": st.floats(0.0, 0.5),
            "maximize": st.booleans(),
        },
    ),
    "SWATS": Description(
        settings=[
            {},
            {"lr": 0.1, "maximize": True},
            {"betas": (0.5, 0.9)},
            {"betas": (0.0, 0.9), "eps": 0.01},  # switches within a few steps
            {"lr": 0.01, "betas": (0.9, 0.5), "eps": 0.01},
            {"lr": 0.01, "betas": (0.9, 0.9), "eps": 0.1, "weight_decay": 0.1, "maximize": True},
        ],
        # groups are switched by themselves; what is in a group is one vector, to the reference each
        groups=[[{}], [{"lr": 0.02, "eps": 0.01}, {"betas": (0.5, 0.9), "eps": 0.01}]],
        shapes=((3,), (4, 2)),
        make=apart,
        reference=lambda groups, **options: SWATSReference(by_themselves(groups), **options),
        held="pytorch_optimizer.SWATS, with the paper's criterion and root",
        partial=False,  # it counts the steps that a group spends without a gradient
        crosses=False,
        drawn={
            "lr": st.floats(1e-4, 0.1),
            "betas": st.tuples(st.floats(0.0, 0.95), st.floats(0.5, 0.999)),
            "eps": st.floats(1e-9, 0.1),
            "weight_decay": st.floats(0.0, 0.5),
            "maximize": st.booleans(),
        },
    ),
    "GradientNoise": Description(
        settings=[
            {},
            {"eta": 1.0, "gamma": 0.0},
            {"eta": 0.0},
            {"eta": 0.3, "gamma": 2.0, "seed": 5, "lr": 0.1},
            {"eta": 1.0, "betas": (0.9, 0.99), "lr": 0.1},
        ],
        groups=[[{}], [{"lr": 0.01}, {}]],
        make=around,
        reference=NoiseReference,
        held="torch.optim.SGD and Adam, given gradients with the same noise",
        crosses=False,
        alike=False,
        drawn={
            "lr": st.floats(1e-4, 0.2),
            "eta": st.floats(0.0, 1.0),
            "gamma": st.floats(0.0, 2.0),
            "seed": st.integers(0, 2**40),
        },
    ),
    "Lookahead": Description(
        settings=[
            {},
            {"k": 1, "alpha": 0.3},
            {"k": 7, "alpha": 0.8, "lr": 0.1},
            {"k": 3, "alpha": 0.99},
            {"k": 3, "alpha": 0.0},
            {"k": 4, "betas": (0.9, 0.99), "lr": 0.1},
            {"k": 3, "pullback_momentum": "reset", "dampening": 0.3},
            {"k": 3, "alpha": 0.8, "pullback_momentum": "pullback"},
            {"k": 2, "pullback_momentum": "pullback", "momentum": 0.0},
        ],
        groups=[[{}], [{"lr": 0.01}, {}]],
        make=around,
        reference=lookahead_reference,
        held="pytorch_optimizer.Lookahead",
        partial=False,  # it leaves slow weights where they are that have no gradient just then
        crosses=False,
        drawn={
            "lr": st.floats(1e-4, 0.2),
            "k": st.integers(1, 9),
            "alpha": st.floats(0.0, 0.99),
            "pullback_momentum": st.sampled_from(["none", "reset", "pullback"]),
        },
    ),
    "SWA": Description(
        settings=[
            {},
            {"start": 10},
            {"every": 7},
            {"start": 5, "every": 3, "betas": (0.9, 0.99), "lr": 0.1},
        ],
        groups=[[{}], [{"lr": 0.01}, {}]],
        make=around,
        reference=AverageReference,
        held="torch.optim.swa_utils.AveragedModel",
        read=with_point,
        crosses=False,
        drawn={"lr": st.floats(1e-4, 0.2), "start": st.integers(0, 9), "every": st.integers(1, 9)},
    ),
    "EMA": Description(
        settings=[{"decay": 0.999}, {"decay": 0.5}, {"decay": 0.9, "betas": (0.9, 0.99)}],
        groups=[[{}], [{"lr": 0.01}, {}]],
        make=around,
        reference=AverageReference,
        held="torch.optim.swa_utils.AveragedModel",
        read=with_point,
        crosses=False,
        drawn={"lr": st.floats(1e-4, 0.2), "decay": st.floats(0.0, 1.0)},
    ),
    "SAM": Description(
        settings=[
            {},
            {"rho": 0.5},
            {"rho": 0.5, "adaptive": True, "lr": 0.01},
            {"rho": 0.0},
            {"rho": 0.2, "betas": (0.9, 0.99), "lr": 0.1},
        ],
        groups=[[{}], [{"lr": 0.01}, {}]],
        make=around,
        reference=SAMReference,
        held="pytorch_optimizer.SAM, with its norm in the parameter's precision",
        crosses=False,
        drawn={"lr": st.floats(1e-4, 0.1), "rho": st.floats(0.0, 1.0), "adaptive": st.booleans()},
    ),
    "Shampoo": Description(
        settings=[
            {},
            {"lr": 0.1, "maximize": True},
            {"lr": 0.1, "momentum": 0.9},
            {"lr": 0.1, "weight_decay": 0.1},
            {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True},
            # a gradient's new directions are multiplied by ε^(−1/2k) until the next root
            {"lr": 0.1, "preconditioning_compute_steps": 7, "matrix_eps": 0.1},
            {"lr": 0.1, "max_precond_dim": 2},
            {"lr": 0.1, "max_precond_dim": 1, "matrix_eps": 1e-3},
            {
                "lr": 0.1,
                "momentum": 0.5,
                "weight_decay": 0.1,
                "preconditioning_compute_steps": 3,
                "matrix_eps": 0.1,
                "max_precond_dim": 3,
                "maximize": True,
            },
        ],
        groups=[[{}], [{"lr": 0.3}, {"momentum": 0.5}, {"weight_decay": 0.2, "matrix_eps": 0.1}]],
        shapes=((3,), (4, 2), (2, 3, 4)),
        reference=ShampooReference,
        held="pytorch_optimizer.Shampoo, with momentum, pauses and diagonals of the authors' code",
        partial=False,  # it counts the steps that a parameter spends without a gradient
        crosses=False,
        drawn={
            "lr": st.floats(1e-4, 0.5),
            "momentum": st.floats(0.0, 0.99),
            "weight_decay": st.floats(0.0, 0.5),
            "preconditioning_compute_steps": st.integers(1, 9),
            "matrix_eps": st.floats(1e-2, 1.0),
            "max_precond_dim": st.integers(1, 5),
            "maximize": st.booleans(),
            "decoupled_weight_decay": st.booleans(),
        },
    ),
    "SOAP": Description(
        settings=[
            {},
            {"lr": 0.1, "maximize": True},
            {"lr": 0.1, "betas": (0.0, 0.9)},
            {"lr": 0.1, "betas": (0.9, 0.3), "shampoo_beta": 0.9},
            {"lr": 0.1, "eps": 0.1, "weight_decay": 0.5},
            {"lr": 0.1, "precondition_frequency": 1},
            {"lr": 0.1, "max_precond_dim": 3},
            {"lr": 0.1, "max_precond_dim": 1},
            {"lr": 0.1, "max_precond_dim": 4, "merge_dims": True},
            {"lr": 0.1, "correct_bias": False, "precondition_frequency": 3},
            {
                "lr": 0.1,
                "betas": (0.8, 0.9),
                "shampoo_beta": 0.7,
                "eps": 1e-3,
                "precondition_frequency": 4,
                "max_precond_dim": 4,
                "merge_dims": True,
                "maximize": True,
            },
        ],
        groups=[[{}], [{"lr": 0.03, "betas": (0.7, 0.9)}, {"weight_decay": 0.2, "eps": 0.01}]],
        # along each axis as many slices as there are dimensions, or more: else the first gradient
        # leaves eigenvalues of 0, whose eigenvectors are anybody's choice. See test_soap.py
        shapes=((3, 3), (2, 2, 4)),
        reference=SOAPReference,
        held="pytorch_optimizer.SOAP, decomposing in the parameter's own precision",
        partial=False,  # it counts the steps that a parameter spends without a gradient
        crosses=False,
        drawn={
            "lr": st.floats(1e-4, 0.1),
            "betas": st.tuples(st.floats(0.0, 0.99), st.floats(0.5, 0.999)),
            "shampoo_beta": st.none() | st.floats(0.5, 0.99),
            "eps": st.floats(1e-8, 0.1),
            "weight_decay": st.floats(0.0, 0.5),
            "precondition_frequency": st.integers(1, 12),
            "max_precond_dim": st.sampled_from([1, 2, 3, 4, 10_000]),
            "merge_dims": st.booleans(),
            "precondition_1d": st.booleans(),
            "correct_bias": st.booleans(),
            "maximize": st.booleans(),
        },
        admitted=admitted_by_soap,
    ),
    "Muon": Description(
        settings=[
            {},
            {"lr": 0.1, "weight_decay": 0.5},
            {"lr": 0.1, "momentum": 0.5, "nesterov": False},
            {"lr": 0.1, "momentum": 0.0, "ns_steps": 2},
            {"lr": 0.1, "ns_coefficients": (2.0, -1.5, 0.5), "ns_steps": 12, "eps": 1e-3},
            {"lr": 0.1, "adjust_lr_fn": "original"},
            {"lr": 0.1, "adjust_lr_fn": "match_rms_adamw"},
        ],
        groups=[[{}], [{"lr": 0.3}, {"momentum": 0.5}, {"weight_decay": 0.0}]],
        shapes=((4, 2), (3, 5), (3, 3)),
        reference=ExactMuon,
        held="torch.optim.Muon, with its polynomial computed on the singular values",
        tolerance=1e-10,
        drawn={
            "lr": st.floats(1e-4, 0.5),
            "weight_decay": st.floats(0.0, 0.5),
            "momentum": st.floats(0.0, 0.99),
            "nesterov": st.booleans(),
            "ns_steps": st.integers(1, 6),
            "adjust_lr_fn": st.sampled_from([None, "original", "match_rms_adamw"]),
        },
    ),
    "LBFGS": Description(
        settings=[
            {"lr": 0.1, "max_iter": 4},
            {},
            {"line_search_fn": "strong_wolfe"},
            {"line_search_fn": "strong_wolfe", "max_iter": 3, "history_size": 2},
            {"line_search_fn": "strong_wolfe", "max_eval": 3, "lr": 0.01},
            {"line_search_fn": "strong_wolfe", "tolerance_grad": 0.1, "lr": 10.0},
            {"lr": 0.5, "max_iter": 6, "history_size": 1, "tolerance_change": 1e-3},
            {"max_iter": 1},
        ],
        groups=[[{}]],
        # of up to 20 iterations each. Longer, torch too is no longer equal to itself from a start
        # that is one rounding away: see test_lbfgs.py
        steps=6,
        tolerance=1e-9,
        drawn={
            "lr": st.floats(0.1, 1.0),
            "max_iter": st.integers(1, 8),
            "history_size": st.integers(1, 5),
            "line_search_fn": st.sampled_from([None, "strong_wolfe"]),
        },
    ),
}
"""By the method's name."""


def describe(name: str) -> Description:
    """The description of a method, or a failure that says what to write."""
    if name not in DESCRIPTIONS:
        pytest.fail(
            f"{name} has no description: add one to DESCRIPTIONS in tests/methods.py, with "
            f"settings that reach every branch of its update",
            pytrace=False,
        )
    return DESCRIPTIONS[name]


def optimizers() -> list[registry.Method]:
    """The registry's optimizers."""
    return list(registry.methods("optimizer"))


def cases(wanted: Callable[[Any], bool] = lambda method: True) -> list[Any]:
    """Each optimizer, or each that is wanted, with each of its settings, as a test's parameters."""
    return [
        pytest.param(method, options, id=f"{method.name} {options}")
        for method in optimizers()
        if wanted(method)
        for options in (DESCRIPTIONS[method.name].settings if method.name in DESCRIPTIONS else [{}])
    ]


def record(
    steps: int, shapes: Sequence[Shape] = ((3,), (4, 2), ()), seed: int = 0, dtype: Any = np.float64
) -> list[Row]:
    """Starts, followed by `steps` gradients for each shape; some entries are exactly zero."""
    rng = np.random.default_rng(seed)
    rows = [[np.array(rng.normal(size=shape), dtype) for shape in shapes] for _ in range(steps + 1)]
    for gradients in rows[1:]:
        gradients[0].flat[0] = 0.0
    return rows


def as_taken(optimizer: Any, gradient: np.ndarray) -> Any:
    """A gradient as an optimizer takes it: those rows that are not 0, if it wants rows."""
    wants_rows = isinstance(optimizer, ours.SparseAdam)
    return RowSparse.of(gradient) if wants_rows else gradient


def groups_of(parameters: Sequence[Any], per_group: Sequence[Hyper]) -> list[dict]:
    """One group per entry of `per_group`, the last with all parameters that are left."""
    ends = [*range(len(per_group)), len(parameters)]
    return [
        {**options, "params": list(parameters[start:end])}
        for options, (start, end) in zip(per_group, pairwise(ends), strict=True)
    ]


def bowl(theta: np.ndarray, slope: np.ndarray) -> tuple[float, np.ndarray]:
    """Loss and gradient of Σ(½aθ² + θ⁴/40 + cθ): for methods that look at the loss themselves."""
    a = np.linspace(1.0, 3.0, theta.size).reshape(theta.shape)
    loss = float(np.sum(a * theta**2 / 2 + theta**4 / 40 + slope * theta))
    return loss, np.asarray(a * theta + theta**3 / 10 + slope, dtype=theta.dtype)


class Run:
    """An optimizer, ours or the reference, on recorded gradients."""

    def __init__(self, method, starts: Row, per_group: Sequence[Hyper], options: Hyper) -> None:
        self.method, self.description = method, describe(method.name)
        self.parameters = [self.parameter(start) for start in starts]
        self.optimizer = self.made(groups_of(self.parameters, per_group), **options)

    def step(self, row: Row, skip: int | None = None) -> Row:
        """Take a step and return what must agree; one parameter may be without gradient."""

        def closure() -> Any:
            losses = []
            for i, (p, slope) in enumerate(zip(self.parameters, row, strict=True)):
                loss, gradient = bowl(values(p), slope)
                p.grad = None if i == skip else self.gradient(gradient)
                losses.append(loss)
            return self.loss(sum(losses))

        if self.method.closure:
            self.optimizer.step(closure)
        elif self.description.downhill:
            closure()
            self.optimizer.step()
        else:
            for i, (p, gradient) in enumerate(zip(self.parameters, row, strict=True)):
                p.grad = None if i == skip else self.gradient(gradient)
            self.optimizer.step()
        return self.description.read(self.optimizer, self.parameters)


class Ours(Run):
    """Our optimizer."""

    parameter = staticmethod(Parameter)
    loss = staticmethod(float)

    def gradient(self, values: np.ndarray) -> Any:
        return as_taken(self.optimizer, values.copy())

    def made(self, groups: list[dict], **options: Any) -> Any:
        return self.description.make(self.method.load(), groups, **options)


class Theirs(Run):
    """The reference's."""

    loss = staticmethod(torch.tensor)

    def gradient(self, values: np.ndarray) -> torch.Tensor:
        gradient = torch.tensor(values)
        return gradient.to_sparse(1) if self.method.rows else gradient

    def parameter(self, start: np.ndarray) -> torch.nn.Parameter:
        return torch.nn.Parameter(torch.tensor(start))

    def made(self, groups: list[dict], **options: Any) -> Any:
        if self.description.reference is not None:
            return self.description.reference(groups, **options)
        name = self.method.torch.rpartition(".")[2]
        return getattr(torch.optim, name)(groups, **options)


def pair(
    method, options: Hyper, per_group: Sequence[Hyper] = ({},), seed: int = 0, starts=None,
    dtype: Any = np.float64,
):  # fmt: skip
    """Ours and the reference's from one start, and the rows of gradients to come."""
    description = describe(method.name)
    first, *rows = record(description.steps, description.shapes, seed, dtype)
    starts = first if starts is None else starts
    return (
        Ours(method, starts, per_group, options), Theirs(method, starts, per_group, options), rows,
    )  # fmt: skip


def distance(ours: Row, theirs: Row) -> float:
    """max|a − b| / max|b|, over all parameters; infinite if only one of them is NaN somewhere."""
    if any((np.isnan(a) != np.isnan(b)).any() for a, b in zip(ours, theirs, strict=True)):
        return np.inf
    scale = max(np.abs(b).max() for b in theirs)
    return max(np.abs(a - b).max() for a, b in zip(ours, theirs, strict=True)) / scale


def errors(ours: Run, theirs: Run, rows: list[Row]) -> Iterator[float]:
    """Step both through the gradients; how far apart they are after each step."""
    for row in rows:
        yield distance(ours.step(row), theirs.step(row))


def assert_equal_paths(ours: Run, theirs: Run, rows: list[Row], tolerance: float) -> None:
    """Step both through the gradients; they must agree after each step."""
    for t, error in enumerate(errors(ours, theirs, rows), start=1):
        assert error <= tolerance, f"{error:.1e} after step {t}"


def assert_follows(name: str, options: Hyper, rows: list[Row]) -> None:
    """The method of that name follows its reference through given starts and gradients."""
    assert_equal_paths(*followers(registry.find(name), options, rows), describe(name).tolerance)


def followers(method, options: Hyper, rows: list[Row], dtype: Any = np.float64):
    """Ours and the reference's at given starts, and the gradients to come."""
    starts, *gradients = [[np.asarray(each, dtype) for each in row] for row in rows]
    return (*(kind(method, starts, [{}], options) for kind in (Ours, Theirs)), gradients)


def drawn_case(name: str, data: Any, seed: int) -> tuple[Hyper, list[Row]]:
    """Drawn arguments of a method, and starts and gradients for them."""
    description = describe(name)
    options = description.admitted(data.draw(st.fixed_dictionaries(description.drawn)))
    rows = record(min(description.steps, 50), description.shapes[:2], seed)
    for row in rows[1:]:
        row[0].flat[0] = row[0].flat[1]  # one that is always 0 may divide 0 by a tiny number
    return options, rows


def single(method, options: Hyper | None = None, shape: Shape | None = None, dtype=np.float64):
    """One of our optimizers on one parameter of ones, and that parameter."""
    description = describe(method.name)
    p = Parameter(np.ones(shape if shape is not None else description.shapes[0], dtype))
    chosen = description.settings[0] if options is None else options
    return description.make(method.load(), [p], **chosen), p


def take(optimizer, p: Parameter, gradient: np.ndarray) -> None:
    """Take one step with a gradient, whether the method wants a closure or not."""

    def closure() -> float:
        p.grad = as_taken(optimizer, gradient)
        return float(np.sum(p.data * gradient, dtype=np.float64))

    optimizer.step(closure)


def stepped(method, steps=3):
    """An optimizer with two groups, if it admits two, and a state, after some steps."""
    description = describe(method.name)
    parameters = [Parameter(np.ones(shape)) for shape in description.shapes[:2]]
    groups = [{"params": [p]} for p in parameters]
    if len(description.groups) == 1:
        groups = [{"params": parameters}]
    options = {**description.settings[0], **description.awake}
    optimizer = description.make(method.load(), groups, **options)
    advance(optimizer, parameters, steps)
    return optimizer


def advance(optimizer, parameters, steps):
    """Take steps down a bowl."""

    def closure():
        losses = []
        for p in parameters:
            loss, gradient = bowl(p.data, np.ones(p.shape))
            p.grad = as_taken(optimizer, gradient)
            losses.append(loss)
        return sum(losses)

    for _ in range(steps):
        optimizer.step(closure)


def members(optimizer) -> list[Parameter]:
    """The optimizer's parameters."""
    return [p for group in optimizer.param_groups for p in group["params"]]
