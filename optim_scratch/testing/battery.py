"""What every optimizer has to pass: arguments, gradients, groups, state, many runs at once."""

from __future__ import annotations

import copy
import inspect
import math
import traceback
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from optim_scratch.checks import Kind
from optim_scratch.optimizers import Optimizer, Wrapper
from optim_scratch.parameter import Parameter

from .subject import Run, Subject, apart, same
from .values import refused

STEPS = 20
MANY_RUNS = "many runs at once are the runs one by one"
CLOSE = 1e-13
"""How near runs at once must be to the runs one by one, in units of the largest number."""


@dataclass(frozen=True)
class Verdict:
    """What a check has found.

    Parameters
    ----------
    check : str
        What must hold.
    passed : bool or None
        Whether it does; None if the question does not arise.
    words : str
        What is wrong, and what to do about it; or why the question does not arise.
    """

    check: str
    passed: bool | None
    words: str = ""

    def __str__(self) -> str:
        """Return a line, such as ``passed   bad values are refused``."""
        said = {True: "passed ", False: "FAILED ", None: "skipped"}[self.passed]
        return f"{said}  {self.check}" + (f": {self.words}" if self.words else "")


class SkippedError(Exception):
    """That a question does not arise."""


class FaultError(Exception):
    """That something does not hold."""


def _need(holds: bool, words: str) -> None:
    if not holds:
        raise FaultError(words)


def _need_class(s: Subject) -> None:
    if not s.is_class:
        raise SkippedError("a function makes the optimizer, and its arguments are not known")


def arguments_have_limits(s: Subject) -> None:
    """Hold the constructor's arguments, its defaults and its limits against each other."""
    _need_class(s)
    made = s.started().optimizer
    kind = type(made)
    names = list(inspect.signature(kind).parameters)[1:]
    limits = set(kind.limits)
    missing = [name for name in names if name not in limits]
    _need(not missing, f"limits lack {missing}: say there what these arguments may be")
    extra = sorted(set(made.defaults) ^ limits) if not isinstance(made, Wrapper) else []
    _need(not extra, f"{extra} must stand both in limits and in the defaults given to the base")


def bad_values_are_refused(s: Subject) -> None:
    """Try values that the limits refuse."""
    _need_class(s)
    made = s.started().optimizer
    kind = type(made)
    for name in list(inspect.signature(kind).parameters)[1:]:
        limits = kind.limits[name]
        several = isinstance(limits, tuple)
        for i, limit in enumerate(limits if isinstance(limits, tuple) else (limits,)):
            for value, error in refused(limit):
                given = value
                if several:
                    default = made.defaults[name]
                    given = (*default[:i], value, *default[i + 1 :])
                _refuses(s, name, given, error, limit)


def _refuses(s: Subject, name: str, given: Any, error: type[Exception], limit: Kind) -> None:
    """Find out whether a value is refused, by an error that names the argument."""
    try:
        s.started(**{name: given})
    except error as refusal:
        _need(name in str(refusal), f"the error for {name}={given!r} does not name it: {refusal}")
    except Exception as other:
        raise FaultError(
            f"{name}={given!r} raises {type(other).__name__}, not {error.__name__}: pass "
            "arguments to the base unchanged, it checks them"
        ) from other
    else:
        raise FaultError(f"{name}={given!r} is accepted, and its limits say: {limit}")


def unknown_names_are_refused(s: Subject) -> None:
    """Misspell a hyper-parameter in a group."""
    p = Parameter(np.ones(s.shapes[0]))
    try:
        s.optimizer([{"params": [p], "lrr": 0.1}])
    except ValueError as refusal:
        _need("lrr" in str(refusal), f"the error does not name it: {refusal}")
    else:
        raise FaultError("a group with 'lrr' is accepted, and the rate would be the default")


def gradients_are_left_alone(s: Subject) -> None:
    """Look at the gradient after the step."""
    run = s.started()
    kept: list[tuple[Any, Any]] = []

    def look() -> float:
        kept.clear()
        for p in run.parameters:
            p.grad = p.data + 0.25
            kept.append((p.grad, p.grad.copy()))
        return sum(float(np.sum(p.data**2)) for p in run.parameters)

    for _ in range(3):
        run.step(look)
        for given, before in kept:
            _need(np.array_equal(given, before), "a step changes p.grad; work on a copy, g = g + …")


def the_dtype_stays(s: Subject) -> None:
    """Train in float32, with gradients in float64."""
    start = s.started()
    low = [Parameter(p.data.astype(np.float32)) for p in start.parameters]
    run = Run(s.optimizer(low), low).take(3)
    for p in low:
        _need(p.data.dtype == np.float32, "a parameter of float32 becomes another dtype")
        for name, value in run.optimizer.state.get(p, {}).items():
            if isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.ndim:
                _need(
                    value.dtype == np.float32,
                    f"state[{name!r}] of a parameter of float32 is {value.dtype}: begin it with "
                    "np.zeros_like(p.data)",
                )


def without_a_gradient_nothing_moves(s: Subject) -> None:
    """Give one of two parameters no gradient."""
    first, second = (Parameter(np.ones(s.shapes[0])) for _ in range(2))
    optimizer = s.optimizer([first, second])
    run = Run(optimizer, [first])
    for _ in range(3):
        run.take()
    _need(np.array_equal(second.data, np.ones(s.shapes[0])), "a parameter without gradient moves")


def the_closures_loss_comes_back(s: Subject) -> None:
    """Step with a closure."""
    run, seen = s.started(), []

    def closure() -> float:
        seen.append(run.parameters[0].data.copy())
        for p in run.parameters:
            p.grad = p.data.copy()
        return 42.0

    for t in range(2):
        begin = run.parameters[0].data.copy()
        loss = run.optimizer.step(closure)
        _need(
            len(seen) > t,
            "the closure is not called: begin a step of your own with self._evaluated(closure)",
        )
        _need(
            np.array_equal(seen[t], begin) or run.optimizer.needs_closure,
            "the closure is called after the parameters have moved",
        )
        _need(loss == 42.0, f"step returns {loss!r}, not the closure's loss")


def maximize_goes_uphill(s: Subject) -> None:
    """Hold maximize against a step down the gradient's negative."""
    _need_class(s)
    if "maximize" not in s.started().optimizer.defaults:
        raise SkippedError("it has no maximize")
    if s.settings.get("maximize"):
        raise SkippedError("the settings have it on")
    down, up = s.started().take(STEPS, sign=-1.0), s.started(maximize=True).take(STEPS)
    _need(
        same(down.data(), up.data()),
        "maximize=True is not the same as gradients of the other sign",
    )


def _elementwise(s: Subject) -> Run:
    run = s.started()
    if not run.optimizer.elementwise:
        raise SkippedError("it is not elementwise")
    return run


def groups_are_by_themselves(s: Subject) -> None:
    """Hold two groups with rates of their own against two optimizers."""
    run = _elementwise(s)
    if isinstance(run.optimizer, Wrapper) or not s.is_class:
        raise SkippedError("a function makes the optimizer")
    shapes = [s.shapes[0], s.shapes[-1]]
    first, second = s.started(shapes).parameters
    together = s.optimizer([{"params": [first], "lr": 0.01}, {"params": [second], "lr": 0.03}])
    both = Run(together, [first, second])
    alone = [
        (s.optimizer([p], lr=lr), p)
        for p, lr in zip(s.started(shapes).parameters, (0.01, 0.03), strict=True)
    ]
    for _ in range(STEPS):
        both.take()
        for (optimizer, p), given in zip(alone, both.given, strict=True):
            p.grad = given
            _step(optimizer)
    _need(
        same([first.data, second.data], [p.data for _, p in alone]),
        "two groups with rates of their own are not two optimizers: read h, not self.defaults",
    )


def _step(optimizer: Optimizer) -> None:
    optimizer.step((lambda: 0.0) if optimizer.needs_closure else None)


def a_saved_run_goes_on(s: Subject) -> None:
    """Save half-way, load into a fresh optimizer, and go on."""
    full, half, resumed = s.started().take(2 * STEPS), s.started().take(STEPS), s.started()
    resumed.optimizer.load_state_dict(half.optimizer.state_dict())
    for p, q in zip(resumed.parameters, half.parameters, strict=True):
        p.data[...] = q.data
    resumed.t = half.t
    _need(
        same(resumed.take(STEPS).data(), full.data()),
        "a run that is saved and loaded goes on in another way: all that the update remembers "
        "must be in the state that _begin returns, none of it in self",
    )


def a_saved_state_is_a_snapshot(s: Subject) -> None:
    """Go on after saving, and look at what was saved."""
    run = s.started().take(STEPS)
    saved = run.optimizer.state_dict()
    before = repr(copy.deepcopy(saved))
    run.take(1)
    _need(repr(saved) == before, "what state_dict returned has changed with the next step")


def a_copy_goes_its_own_way(s: Subject) -> None:
    """Copy the optimizer, let the copy go on, and look at the first."""
    run = s.started().take(3)
    before, twin = run.data(), copy.deepcopy(run)
    twin.take(3)
    _need(same(run.data(), before), "a deep copy shares memory with the first")
    _need(same(run.take(3).data(), twin.data()), "a deep copy goes another way")


def runs_can_be_repeated(s: Subject) -> None:
    """Run twice."""
    _need(
        same(s.started().take(STEPS).data(), s.started().take(STEPS).data()),
        "two runs on the same gradients end at different points: draw from a seed of its own",
    )


def many_runs_at_once(s: Subject) -> None:
    """Hold an array of rates against runs one by one; or see it refused."""
    base = s.started().optimizer
    rates = np.array([0.001, 0.003, 0.01, 0.03, 0.1])
    if not base.elementwise:
        try:
            s.started([(5, 2)], lr=rates[:, None])
        except (TypeError, ValueError):
            raise SkippedError("it is not elementwise, and refuses arrays") from None
        raise FaultError("it is not elementwise, and takes an array of rates for one run")
    shape = (5, 2)
    together = s.started([shape], lr=rates[:, None])
    start = together.parameters[0].data.copy()
    alone = []
    for i, lr in enumerate(rates):
        p = Parameter(start[i])
        alone.append((s.optimizer([p], lr=float(lr)), p))
    for _ in range(STEPS):
        together.take()
        for i, (optimizer, p) in enumerate(alone):
            p.grad = together.given[0][i]
            _step(optimizer)
    one_by_one = np.stack([p.data for _, p in alone])
    gap = apart([together.parameters[0].data], [one_by_one])
    _need(
        gap <= CLOSE,
        f"five runs at once are {gap:.1g} from the runs one by one: is a norm, a mean or an 'if' "
        "over all entries in the update? Then say elementwise = False",
    )


def memory_layout_does_not_matter(s: Subject) -> None:
    """Give gradients in Fortran's order."""
    if not any(len(shape) > 1 for shape in s.shapes):
        raise SkippedError("no parameter has two dimensions")
    gap = apart(s.started().take(STEPS, order="F").data(), s.started().take(STEPS).data())
    _need(gap <= CLOSE, "gradients of another order in memory end at another point")


def it_descends(s: Subject) -> None:
    """Descend a bowl, at one rate after the other, until one is good enough."""
    best = math.inf
    for lr in sorted(np.geomspace(1e-4, 10, 16), key=lambda lr: abs(math.log(lr / 0.1))):
        best = min(best, _left_of_a_bowl(s, float(lr)))
        if best < 0.01:
            return
    raise FaultError(
        "no rate from 1e-4 to 10 brings the loss of a bowl to a hundredth in 300 steps; the best "
        f"leaves {best:.2g} of it"
    )


def _left_of_a_bowl(s: Subject, lr: float) -> float:
    """Return which share of the loss is left after 300 steps."""
    run = s.started(lr=lr)

    def look() -> float:
        for p in run.parameters:
            p.grad = p.data.copy()
        return 0.5 * sum(float(np.sum(p.data**2)) for p in run.parameters)

    first = look()
    for _ in range(300):
        run.step(look)
    last = 0.5 * sum(float(np.sum(run.optimizer.point(p) ** 2)) for p in run.parameters)
    return last / first if math.isfinite(last) else math.inf


CHECKS: dict[str, Callable[[Subject], None]] = {
    "every argument has its limits": arguments_have_limits,
    "bad values are refused": bad_values_are_refused,
    "unknown names are refused": unknown_names_are_refused,
    "it descends a bowl": it_descends,
    "maximize goes uphill": maximize_goes_uphill,
    "gradients are left alone": gradients_are_left_alone,
    "the dtype stays": the_dtype_stays,
    "without a gradient nothing moves": without_a_gradient_nothing_moves,
    "the closure's loss comes back": the_closures_loss_comes_back,
    "groups are by themselves": groups_are_by_themselves,
    "runs can be repeated": runs_can_be_repeated,
    "a saved run goes on as it was": a_saved_run_goes_on,
    "a saved state is a snapshot": a_saved_state_is_a_snapshot,
    "a copy goes its own way": a_copy_goes_its_own_way,
    MANY_RUNS: many_runs_at_once,
    "memory layout does not matter": memory_layout_does_not_matter,
}
"""What must hold, and the function that finds it out, in the order of the report."""


def verdicts(s: Subject, without: Collection[str] = ()) -> list[Verdict]:
    """Return what every check finds, of those that are not to be left out."""
    return [_verdict(name, question, s, name in without) for name, question in CHECKS.items()]


def raised(error: Exception) -> str:
    """Return an error of the examined code in words, with the line that raised it."""
    words = f"{type(error).__name__}: {error}"
    others = {Path(__file__).parents[1], Path(np.__file__).parent}  # the package and NumPy
    theirs = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.line and not others.intersection(Path(frame.filename).parents)
    ]
    return f"{words}, in {theirs[-1].name}: {theirs[-1].line}" if theirs else words


def _verdict(name: str, question: Callable[[Subject], None], s: Subject, left_out: bool) -> Verdict:
    if left_out:
        return Verdict(name, None, "left out on request")
    try:
        with np.errstate(all="ignore"):
            question(s)
    except SkippedError as reason:
        return Verdict(name, None, str(reason))
    except FaultError as fault:
        return Verdict(name, False, str(fault))
    except Exception as error:  # the examined code's own
        return Verdict(name, False, raised(error))
    return Verdict(name, True)
