"""Around the optimizer: updates counted, gradients accumulated, clipped; range test; groups."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .checks import as_list, check_factor, check_flag, check_integer, check_number, type_name
from .parameter import Array, Parameter

Group = dict[str, Any]

EPSILON = 1e-6
"""Added to the norm before `clip_grad_norm_` divides by it, as torch does."""


def total_updates(
    examples: int,
    batch_size: int,
    *,
    epochs: int = 1,
    accumulation: int = 1,
    drop_last: bool = False,
) -> int:
    r"""Return how many updates a training takes: the length of a schedule stepped per update.

    .. math:: \text{epochs} \cdot \lceil\, \lceil N / n \rceil \,/\, k \,\rceil

    with :math:`\lfloor N / n \rfloor` batches an epoch if `drop_last`. It counts the loop that
    updates after every k-th batch of an epoch and after the epoch's last: no gradient is carried
    from one epoch into the next, and none is thrown away.

    Parameters
    ----------
    examples : int, >= 1
        :math:`N`, in the training set.
    batch_size : int, >= 1
        :math:`n`, examples in a (micro-)batch.
    epochs : int, >= 1
        How often the training set is gone through.
    accumulation : int, >= 1
        :math:`k`, batches whose gradients make one update. The last update of an epoch takes what
        is left, if k does not divide the number of batches.
    drop_last : bool
        Whether the loader skips an epoch's last batch if it is incomplete, as torch's does under
        this name. Else it counts. The last update is never dropped.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range, or if there is no update at all
        because `drop_last` skips the only batch.

    Notes
    -----
    Source: article 001, whose formula lacks the epochs and the rounding.

    Examples
    --------
    >>> total_updates(50_000, 128, epochs=30)
    11730
    >>> total_updates(50_000, 128, epochs=30, accumulation=4)
    2940
    """
    for name, value in (("examples", examples), ("batch_size", batch_size), ("epochs", epochs)):
        check_integer(name, value, low=1)
    check_integer("accumulation", accumulation, low=1)
    check_flag("drop_last", drop_last)
    if drop_last and examples < batch_size:
        raise ValueError(
            f"examples must be at least batch_size {batch_size} with drop_last=True, got {examples}"
        )
    examples, batch_size = int(examples), int(batch_size)  # NumPy's integers may overflow
    batches = examples // batch_size if drop_last else -(-examples // batch_size)
    return int(epochs) * -(-batches // int(accumulation))


class Accumulator:
    r"""Make the gradient of a large batch from those of its micro-batches.

    .. math:: g = \frac{\sum_j n_j\, g_j}{\sum_j n_j}

    where :math:`g_j` is the gradient of the mean loss of micro-batch j, of :math:`n_j` examples.
    That is the gradient of the mean loss of all examples, whatever the sizes: exactly, but for
    rounding, as long as no example's loss depends on the others in its batch.

    Parameters
    ----------
    parameters : Parameter or iterable of Parameter
        Whose gradients are accumulated.

    Raises
    ------
    TypeError, ValueError
        If they are not `Parameter` objects, or there is none.

    Examples
    --------
    >>> w = Parameter([0.0])
    >>> gradients = Accumulator(w)
    >>> for examples in ([1.0, 2.0, 3.0], [10.0]):
    ...     w.grad = [sum(examples) / len(examples)]
    ...     gradients.add(len(examples))
    >>> gradients.write()
    4
    >>> w.grad.tolist()
    [4.0]
    """

    def __init__(self, parameters: Parameter | Iterable[Parameter]) -> None:
        self.parameters = _listed(parameters)
        self._restart()

    def _restart(self) -> None:
        self._sums: list[Array | None] = [None] * len(self.parameters)
        self.examples = 0

    def add(self, examples: int) -> None:
        """Take over the present gradients, those of one micro-batch, and clear them.

        Parameters
        ----------
        examples : int, >= 1
            How many examples the gradients are the mean of.

        Raises
        ------
        TypeError, ValueError
            If `examples` is not an integer of at least 1.
        """
        check_integer("examples", examples, low=1)
        self.examples += examples
        for i, p in enumerate(self.parameters):
            if p.grad is not None:
                weighted, before = examples * p.grad, self._sums[i]
                self._sums[i] = weighted if before is None else before + weighted
                p.grad = None

    def write(self) -> int:
        """Write the mean gradient into the parameters, and begin anew.

        Returns
        -------
        int
            How many examples it is the mean of. A parameter that no micro-batch gave a gradient
            has none, so that an optimizer passes over it.

        Raises
        ------
        ValueError
            If nothing was added since the last time.
        """
        if not self.examples:
            raise ValueError("write() needs at least one add() before it, got none")
        for p, total in zip(self.parameters, self._sums, strict=True):
            p.grad = None if total is None else total / self.examples
        examples = self.examples
        self._restart()
        return examples


def clip_grad_norm_(
    parameters: Parameter | Iterable[Parameter],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> float:
    r"""Shorten the gradient of all parameters together to a norm of at most `max_norm`.

    .. math:: g \leftarrow g \cdot \min\Bigl(1, \frac{c}{\|g\|_p + 10^{-6}}\Bigr)

    Its direction stays. A norm beyond `max_norm` becomes a little less than it.

    Parameters
    ----------
    parameters : Parameter or iterable of Parameter
        Whose gradients are shortened; those without one are passed over.
    max_norm : float, > 0
        :math:`c`; infinity only measures. torch takes 0, which sets every gradient to 0, and
        numbers below, which turn them around.
    norm_type : float, > 0
        :math:`p`; infinity is the largest entry. torch takes other numbers too, which give no norm.
    error_if_nonfinite : bool
        Whether to refuse an infinite or NaN norm. If not, NaN flows into every gradient, and an
        infinite norm makes the finite entries 0 and the infinite ones NaN.

    Returns
    -------
    float
        The norm before, computed in float64; 0 if there is no gradient.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range, or there is no parameter.
    FloatingPointError
        If the norm is not finite and `error_if_nonfinite`; torch raises a RuntimeError. Gradients
        stay as they are.

    Notes
    -----
    Gradients are replaced, not written into: an array that two parameters share is shortened once.
    Source: Pascanu, Mikolov & Bengio (2013), Algorithm 1; `torch.nn.utils.clip_grad_norm_`.

    Examples
    --------
    >>> w = Parameter([1.0, 1.0])
    >>> w.grad = [30.0, 40.0]
    >>> clip_grad_norm_(w, max_norm=1.0)
    50.0
    >>> w.grad.round(3).tolist()
    [0.6, 0.8]
    """
    members = _listed(parameters)
    _check_positive("max_norm", max_norm)
    _check_positive("norm_type", norm_type)
    check_flag("error_if_nonfinite", error_if_nonfinite)
    with np.errstate(all="ignore"):  # infinities and NaN flow, as in torch
        norm = _norm([p.grad for p in members if p.grad is not None], norm_type)
        if error_if_nonfinite and not np.isfinite(norm):
            raise FloatingPointError(f"the gradient's norm of type {norm_type} is {norm}")
        coefficient = np.minimum(1.0, max_norm / (norm + EPSILON))
        for p in members:
            if p.grad is not None:
                p.grad = p.grad * p.dtype.type(coefficient)
    return norm


def clip_grad_value_(parameters: Parameter | Iterable[Parameter], clip_value: float) -> None:
    r"""Limit each entry of the gradient to ``[-clip_value, clip_value]``; the direction bends.

    .. math:: g \leftarrow \min(\max(g, -c), c)

    Parameters
    ----------
    parameters : Parameter or iterable of Parameter
        Whose gradients are limited; those without one are passed over.
    clip_value : float, > 0
        :math:`c`, in units of the gradient. NaN entries stay NaN.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range, or there is no parameter.

    Notes
    -----
    Gradients are replaced, not written into. Source: `torch.nn.utils.clip_grad_value_`.

    Examples
    --------
    >>> w = Parameter([1.0, 1.0])
    >>> w.grad = [30.0, -0.4]
    >>> clip_grad_value_(w, clip_value=1.0)
    >>> w.grad.tolist()
    [1.0, -0.4]
    """
    members = _listed(parameters)
    _check_positive("clip_value", clip_value)
    for p in members:
        if p.grad is not None:
            p.grad = np.clip(p.grad, -clip_value, clip_value)


@dataclass(frozen=True)
class RangeTest:
    """What a learning-rate range test found.

    Parameters
    ----------
    rates : ndarray of shape (updates,)
        The rate of each update, of the group with the largest.
    losses : ndarray of shape (updates,)
        The loss before each update.
    smoothed : ndarray of shape (updates,)
        Their running mean.
    stopped : bool
        Whether the loss rose so far that the test ended before its last rate.
    """

    rates: Array
    losses: Array
    smoothed: Array
    stopped: bool

    @property
    def suggestion(self) -> float | None:
        """The rate at which the smoothed loss falls steepest, per factor of the rate, or None.

        None is said of a loss that never falls.
        """
        finite = np.isfinite(self.smoothed)
        if finite.sum() < 2:
            return None
        slopes = np.gradient(self.smoothed[finite], np.log(self.rates[finite]))
        steepest = int(slopes.argmin())
        rounding = 1e-12 * float(np.abs(self.smoothed[finite]).max())
        return float(self.rates[steepest]) if slopes[steepest] < -rounding else None


def lr_range_test(
    optimizer: Any,
    update: Callable[[], Any],
    *,
    low: float,
    high: float,
    steps: int = 100,
    smoothing: float = 0.9,
    stop_factor: float = 4.0,
) -> RangeTest:
    r"""Train for a moment with rates that rise from `low` to `high`, and watch the loss.

    .. math::

       \eta_i = \eta_{\text{low}}\,(\eta_{\text{high}}/\eta_{\text{low}})^{i/(n-1)},
       \qquad s_i = \frac{\beta s_{i-1}' + (1-\beta)\,\ell_i}{1-\beta^{i+1}}

    where :math:`s'` is the running mean before it is divided. The test ends where the smoothed loss
    exceeds `stop_factor` times its lowest so far, or is not finite.

    Afterwards the parameters, the optimizer's state and its groups are as before and gradients are
    cleared. What else `update` changes is not undone: random generators, the order of batches,
    BatchNorm's running means.

    Parameters
    ----------
    optimizer : Optimizer
        Ours or torch's. Groups keep the ratios of their rates.
    update : callable without arguments
        Computes gradients, calls ``optimizer.step()`` and returns the loss, a number, before it.
    low, high : float, > 0
        The first and the last rate, of the group whose rate is largest.
    steps : int, >= 2
        n, the number of rates.
    smoothing : float in [0, 1)
        :math:`\beta`; 0 does not smooth. The smoothed loss lags by some
        :math:`\beta/(1-\beta)` updates.
    stop_factor : float, > 1
        For losses above 0.

    Returns
    -------
    RangeTest

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range, if `high` is not above `low`, or if
        no group has a rate above 0.

    Notes
    -----
    Source: Smith (2017), section 3.3, who raises the rate linearly and watches the accuracy; rates
    in geometric steps, the smoothing and the choice by the steepest fall are those of later
    libraries.

    Examples
    --------
    >>> from optim_scratch.optimizers import SGD
    >>> w = Parameter([1.0])
    >>> sgd = SGD([w], lr=0.1)
    >>> def update():
    ...     loss, w.grad = 2 * w.data[0] ** 2, 4 * w.data  # curvature 4, stable below 0.5
    ...     sgd.step()
    ...     return loss
    >>> found = lr_range_test(sgd, update, low=1e-3, high=10.0, smoothing=0.0)
    >>> found.stopped, round(float(found.rates[found.losses.argmin()]), 2)
    (True, 0.51)
    >>> w.data.tolist(), sgd.param_groups[0]["lr"]
    ([1.0], 0.1)
    """
    _check_range_test(low, high, steps, smoothing, stop_factor)
    if not callable(update):
        raise TypeError(f"update must be callable, got {update!r}")
    rates = np.geomspace(low, high, steps)
    losses: list[float] = []
    smoothed: list[float] = []
    running, stopped = 0.0, False
    undo = _remember(optimizer)
    try:
        for loss in _losses(optimizer, update, rates):
            losses.append(loss)
            # s' ← β s' + (1 − β) ℓ
            running = smoothing * running + (1 - smoothing) * loss
            smoothed.append(running / (1 - smoothing ** len(losses)))
            stopped = not smoothed[-1] <= stop_factor * min(smoothed)
            if stopped:
                break
    finally:
        undo()
    return RangeTest(rates[: len(losses)], np.array(losses), np.array(smoothed), stopped)


def layer_groups(
    layers: Sequence[Any], lr: float, decay: float = 1.0, *, frozen: int = 0, **hyper: Any
) -> list[Group]:
    r"""Return parameter groups whose rate falls from the last layer to the first.

    .. math:: \eta_l = \eta\,q^{\,n - l}, \qquad l = 1, \dots, n

    Early layers hold what is common to many tasks and need to move least.

    Parameters
    ----------
    layers : sequence
        From the first, nearest to the input, to the last; each a parameter or an iterable of them,
        ours or torch's.
    lr : float, >= 0
        :math:`\eta`, the last layer's rate.
    decay : float in (0, 1]
        :math:`q`, how much smaller each layer's rate is than the next one's. Howard & Ruder
        divide by 2.6.
    frozen : int, >= 0
        So many first layers get no group, and no optimizer touches them.
    **hyper
        Other hyper-parameters, the same for each group.

    Returns
    -------
    list of dict
        One group per layer that is not frozen, in order.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range, or if no layer is left.

    Notes
    -----
    Source: Howard & Ruder (2018), section 3.2, discriminative fine-tuning.

    Examples
    --------
    >>> layers = [Parameter([0.0]), Parameter([0.0]), Parameter([0.0])]
    >>> [group["lr"] for group in layer_groups(layers, lr=0.1, decay=0.5)]
    [0.025, 0.05, 0.1]
    """
    listed = as_list("layers", layers, "a sequence of layers")
    check_number("lr", lr, low=0)
    check_factor("decay", decay, high=1)
    check_integer("frozen", frozen, low=0)
    if frozen >= len(listed):
        raise ValueError(f"frozen must leave one of {len(listed)} layers, got {frozen}")
    return [
        {**hyper, "params": members(layer), "lr": lr * decay ** (len(listed) - 1 - i)}
        for i, layer in enumerate(listed)
        if i >= frozen
    ]


def decay_groups(params: Any, weight_decay: float) -> list[Group]:
    """Return groups in which matrices decay, while biases, gains and other vectors do not.

    Parameters
    ----------
    params : parameter, or iterable of them or of groups
        Ours or torch's. Each group is split in two, with all its hyper-parameters.
    weight_decay : float, >= 0
        For parameters of two or more axes; the others get 0.

    Returns
    -------
    list of dict
        Those that decay before those that do not, group by group; empty ones are left out.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range, or if there is no parameter.

    Notes
    -----
    A shift or a gain has no scale that decay could keep in check, and few entries to overfit with.
    Source: usual practice; He et al. (2019), section 3.1, "no bias decay".

    Examples
    --------
    >>> weight, bias = Parameter([[1.0, 2.0]]), Parameter([0.0])
    >>> [group["weight_decay"] for group in decay_groups([weight, bias], 0.01)]
    [0.01, 0.0]
    """
    check_number("weight_decay", weight_decay, low=0)
    alone = hasattr(params, "grad")
    entries = [params] if alone else as_list("params", params, "an iterable of them or of groups")
    if not entries:
        raise ValueError("params must hold at least one parameter, got none")
    given = entries if isinstance(entries[0], dict) else [{"params": entries}]
    groups = []
    for group in given:
        listed = members(group["params"])
        for strength, chosen in (
            (float(weight_decay), [p for p in listed if len(p.shape) >= 2]),
            (0.0, [p for p in listed if len(p.shape) < 2]),
        ):
            if chosen:
                groups.append({**group, "params": chosen, "weight_decay": strength})
    return groups


def members(layer: Any) -> list[Any]:
    """Return the parameters of a layer: itself if it is one, ours or torch's.

    Parameters
    ----------
    layer : parameter, or iterable of them
        What to list.

    Raises
    ------
    TypeError
        If it is neither.
    """
    if hasattr(layer, "grad"):
        return [layer]
    listed = as_list("layer", layer, "a parameter or an iterable of them")
    for p in listed:
        if not hasattr(p, "grad"):
            raise TypeError(f"a layer must hold parameters, got {type(p).__name__}")
    return listed


def _listed(parameters: Any) -> list[Parameter]:
    """Return the parameters, refused if there is none or one is none of ours."""
    listed = members(parameters)
    if not listed:
        raise ValueError("parameters must hold at least one Parameter, got none")
    for p in listed:
        if not isinstance(p, Parameter):
            raise TypeError(f"parameters must hold our Parameter objects, got {type_name(p)}")
    return listed


def _check_positive(name: str, value: Any) -> None:
    """Refuse what is not one number above 0; infinity is admitted."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise TypeError(f"{name} must be a number, got {value!r}")
    if not value > 0:
        raise ValueError(f"{name} must be > 0, got {value}")


def _norm(gradients: list[Array], norm_type: float) -> float:
    """Return the p-norm of all gradients as one vector; infinity is the largest entry."""
    sizes = [np.abs(g.astype(np.float64)).ravel() for g in gradients]
    entries = np.concatenate([np.zeros(1), *sizes])
    if norm_type == np.inf:
        return float(entries.max())
    return float(np.sum(entries**norm_type) ** (1 / norm_type))


def _check_range_test(
    low: float, high: float, steps: int, smoothing: float, stop_factor: float
) -> None:
    check_factor("low", low)
    check_factor("high", high)
    if high <= low:
        raise ValueError(f"high must be above low {low}, got {high}")
    check_integer("steps", steps, low=2)
    check_number("smoothing", smoothing, low=0, high=1, below=True)
    check_factor("stop_factor", stop_factor)
    if stop_factor <= 1:
        raise ValueError(f"stop_factor must be > 1, got {stop_factor}")


def _losses(optimizer: Any, update: Callable[[], Any], rates: Array) -> Iterator[float]:
    """Yield the loss of an update at each rate; groups keep the ratios of theirs."""
    present = [float(group["lr"]) for group in optimizer.param_groups]
    for rate in rates:
        for group, lr in zip(optimizer.param_groups, present, strict=True):
            group["lr"] = float(rate) * (lr / max(present))
        loss = update()
        if loss is None:
            raise TypeError("update must return the loss, a number, got None")
        # torch warns of a number taken from a tensor that a gradient hangs on
        yield float(loss.detach() if hasattr(loss, "detach") else loss)


def _remember(optimizer: Any) -> Callable[[], None]:
    """Return a function that puts parameters, state and groups back; refuse what has no rate."""
    if not hasattr(optimizer, "param_groups"):
        raise TypeError(f"optimizer must have param_groups, got {type(optimizer).__name__}")
    for group in optimizer.param_groups:
        if np.ndim(group["lr"]):
            raise ValueError(f"optimizer must have one rate per group, got lr {group['lr']!r}")
    present = [float(group["lr"]) for group in optimizer.param_groups]
    if not max(present) > 0:
        raise ValueError(f"optimizer must have a group with lr > 0, got {present}")
    state = copy.deepcopy(optimizer.state_dict())
    params = [p for group in optimizer.param_groups for p in group["params"]]
    values = [copy.deepcopy(p.data) for p in params]

    def undo() -> None:
        for p, value in zip(params, values, strict=True):
            p.data[...] = value
        optimizer.load_state_dict(state)
        optimizer.zero_grad()

    return undo
