"""L-BFGS: Newton's step, with the curvature learned from the last gradients."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import numpy as np

from optim_scratch.checks import NOT_NEGATIVE, Choice, Integer, type_name
from optim_scratch.parameter import Array, Parameter

from .line_search import Look, Point, Search, StrongWolfe
from .optimizer import Group, Optimizer, Parameters, State
from .tiles import Hyper

FLAT_PAIR = 1e-10
"""A pair with less curvature than this is not remembered."""


class LBFGS(Optimizer):
    r"""Limited-memory BFGS.

    .. math::

       s_k = \theta_{k+1} - \theta_k, \quad y_k = g_{k+1} - g_k, \qquad
       d_k = -H_k\,g_k, \qquad \theta_{k+1} = \theta_k + t_k\,d_k

    where :math:`H_k` is the matrix that BFGS would have made of the last pairs :math:`(s, y)` from
    :math:`\gamma I`, with :math:`\gamma = s^\top y / y^\top y` of the last; it is never formed. One
    step makes up to `max_iter` such iterations, all parameters together as one vector.

    Parameters
    ----------
    params : Parameter, iterable of Parameter, or one group
        What to move; several groups are refused.
    lr : float, >= 0
        :math:`t`, or with a line search the first one to try. Of the very first iteration it is
        :math:`\min(1, 1/\|g\|_1)` times that.
    max_iter : int, >= 1
        The most iterations of a step.
    max_eval : int, >= 1, or None
        The most looks at the loss in a step; a quarter more than `max_iter` if None.
    tolerance_grad : float, >= 0
        A step ends when no entry of the gradient is greater.
    tolerance_change : float, >= 0
        It ends when neither the loss nor any entry changes by more, too.
    history_size : int, >= 1
        How many pairs are remembered.
    line_search_fn : {None, "strong_wolfe"} or callable
        How :math:`t` is found: it is the rate, or searched for, by `StrongWolfe` or by a function
        of one's own, ``search(look, start, t)``. It is given the first :math:`t` to try; ``start``
        and what ``look(t)`` returns are of the class `Point`, and one of those it returns. It may
        look as often as it likes; the step ends when `max_eval` is reached. torch has no such
        functions and JSON no form for them: a state that is to be written must have None instead.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range, or if there are several groups; in a
        step, if there is no closure, or it returns no loss, or a search no point.

    Notes
    -----
    Source: Liu & Nocedal (1989); Nocedal & Wright (2006), Algorithms 7.4 and 7.5. torch, and so
    this class, goes on from the pairs of the step before, skips a pair with
    :math:`s^\top y \le 10^{-10}`, and keeps its state, of all parameters, with the first one.

    Examples
    --------
    >>> w = Parameter([3.0, -2.0])
    >>> lbfgs = LBFGS([w], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     w.grad = np.array([1.0, 50.0]) * w.data
    ...     return float(w.data @ w.grad) / 2
    >>> lbfgs.step(closure), bool(np.abs(w.data).max() < 1e-4)
    (104.5, True)
    """

    limits: ClassVar[dict[str, Any]] = {
        "lr": NOT_NEGATIVE,
        "max_iter": Integer(1),
        "max_eval": Integer(1, optional=True),
        "tolerance_grad": NOT_NEGATIVE,
        "tolerance_change": NOT_NEGATIVE,
        "history_size": Integer(1),
        "line_search_fn": Choice((None, "strong_wolfe"), function=True),
    }
    elementwise = False
    needs_closure = True
    scratch = ("al",)

    def __init__(
        self,
        params: Parameters,
        lr: float = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | Search | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)

    def _check_members(self, members: list[Parameter]) -> None:
        super()._check_members(members)
        if self.param_groups:
            raise ValueError("params of LBFGS must be one group, as its step is one for all")

    def _check(self, group: Group) -> None:
        if group["max_eval"] is None:
            group["max_eval"] = group["max_iter"] * 5 // 4

    def _begin(self, p: Parameter, h: Hyper) -> State:
        members = self._parameters()
        if p is not members[0]:
            return {}
        flat = np.zeros(sum(each.data.size for each in members), p.dtype)
        return {
            "func_evals": 0, "n_iter": 0, "d": flat, "t": 0.0, "old_dirs": [], "old_stps": [],
            "ro": [], "H_diag": 1.0, "prev_flat_grad": flat.copy(), "prev_loss": 0.0,
        }  # fmt: skip

    def _completed(self, saved: State, first: State) -> State:
        # torch's has only counted, where its first look found nothing to do
        return {**first, **saved} if set(saved) == {"func_evals", "n_iter"} else saved

    def _check_state(self, p: Parameter, state: State) -> None:
        size, pairs = state["d"].shape, len(state["ro"])
        vectors = [*state["old_dirs"], *state["old_stps"]]
        if len(vectors) != 2 * pairs or any(np.shape(vector) != size for vector in vectors):
            raise ValueError(f"old_dirs and old_stps must each hold {pairs} vectors of {size}")
        if any(np.ndim(entry) for entry in state["ro"]):
            raise ValueError("ro must hold numbers")

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take up to `max_iter` iterations.

        Parameters
        ----------
        closure : callable
            Computes the gradients and returns the loss; called as often as a step looks.

        Returns
        -------
        The closure's first loss.

        Raises
        ------
        TypeError
            If there is no closure, or it returns no loss.
        """
        if closure is None:
            raise TypeError("closure must be callable, as LBFGS looks at the loss again, got None")
        (group,) = self.param_groups
        h, first = self._hyper(group), group["params"][0]
        original = self._evaluated(closure)
        loss, g = _number(original), self._gradient()
        if first not in self.state:
            self.state[first] = self._begin(first, h)
        self.state[first]["func_evals"] += 1
        with np.errstate(all="ignore"):  # infinities and NaN flow
            if not np.abs(g).max() <= h["tolerance_grad"]:
                self._iterate(closure, loss, g, self.state[first], h)
        self.steps_taken += 1
        return original

    def _iterate(
        self, closure: Callable[[], Any], loss: float, g: Array, state: State, h: Hyper
    ) -> None:
        """Go on until one of the limits or tolerances is met."""
        evaluations = 1
        for i in range(1, h["max_iter"] + 1):
            state["n_iter"] += 1
            d = self._direction(g, state, h)
            state["d"], state["prev_flat_grad"], state["prev_loss"] = d, g, loss
            first = state["n_iter"] == 1
            state["t"] = h["lr"] * (min(1.0, 1.0 / float(np.abs(g).sum())) if first else 1.0)
            start = Point(0.0, loss, g, float(g @ d))
            if start.slope > -h["tolerance_change"]:
                break
            left = h["max_eval"] - evaluations
            point, looks = self._move_along(closure, start, state, h, left, last=i == h["max_iter"])
            loss, g, state["t"] = point.loss, point.gradient, point.t
            evaluations += looks
            state["func_evals"] += looks
            if i == h["max_iter"] or evaluations >= h["max_eval"]:
                break
            if self._is_done(point, state, h):
                break

    def _direction(self, g: Array, state: State, h: Hyper) -> Array:
        """Return −H g, by the two loops over the remembered pairs."""
        if state["n_iter"] == 1:
            state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1.0)
            return -g
        self._remember(g - state["prev_flat_grad"], state["t"] * state["d"], state, h)
        pairs = list(zip(state["old_stps"], state["old_dirs"], state["ro"], strict=True))
        q, alphas = -g, []
        for s, y, rho in reversed(pairs):
            alphas.append(rho * float(s @ q))
            q = q - alphas[-1] * y
        r: Array = state["H_diag"] * q
        for (s, y, rho), alpha in zip(pairs, reversed(alphas), strict=True):
            r = r + (alpha - rho * float(y @ r)) * s
        return r

    def _remember(self, y: Array, s: Array, state: State, h: Hyper) -> None:
        """Keep a pair, if it has curvature, and forget the oldest beyond the history's size."""
        curvature = float(y @ s)
        if curvature > FLAT_PAIR:
            pair = {"old_dirs": y, "old_stps": s, "ro": 1.0 / curvature}
            for name, value in pair.items():
                state[name] = [*state[name], value][-h["history_size"] :]
            state["H_diag"] = float(np.divide(curvature, y @ y))

    def _move_along(
        self,
        closure: Callable[[], Any],
        start: Point,
        state: State,
        h: Hyper,
        left: int,
        *,
        last: bool,
    ) -> tuple[Point, int]:
        """Move along the direction; return the point there and how many looks it took."""
        d, t, here = state["d"], state["t"], [p.data.copy() for p in self._parameters()]
        look = partial(self._look, closure, here, d)
        if h["line_search_fn"] == "strong_wolfe":
            wolfe = StrongWolfe(look, start, float(np.abs(d).max()), left)
            found = wolfe.search(t)
            self._go(here, found.t, d)
            return found, wolfe.evaluations
        if callable(h["line_search_fn"]):
            found, looks = searched(h["line_search_fn"], look, start, t)
            self._go(here, found.t, d)
            return found, looks
        if last:  # what is there, the next step will see
            self._go(here, t, d)
            return Point(t, start.loss, start.gradient, start.slope), 0
        return look(t), 1

    def _look(self, closure: Callable[[], Any], here: list[Array], d: Array, t: float) -> Point:
        """Return the point a step along the direction from where the parameters were."""
        self._go(here, t, d)
        loss, g = _number(closure()), self._gradient()
        return Point(t, loss, g, float(g @ d))

    def _is_done(self, point: Point, state: State, h: Hyper) -> bool:
        """Whether the gradient is small enough, or nothing changes any more."""
        step = float(np.abs(point.t * state["d"]).max())
        return bool(
            np.abs(point.gradient).max() <= h["tolerance_grad"]
            or step <= h["tolerance_change"]
            or abs(point.loss - state["prev_loss"]) < h["tolerance_change"]
        )

    def _gradient(self) -> Array:
        """Return all gradients as one vector, zeros for those that there are not."""
        return np.concatenate(
            [
                np.zeros(p.data.size, p.dtype) if p.grad is None else p.grad.ravel()
                for p in self._parameters()
            ]
        )

    def _go(self, here: list[Array], t: float, d: Array) -> None:
        """Put the parameters a step along the direction from where they were."""
        ends = np.cumsum([data.size for data in here])
        pieces = np.split(d, ends[:-1])
        for p, data, piece in zip(self._parameters(), here, pieces, strict=True):
            p.data[...] = data + t * piece.reshape(data.shape)


def searched(search: Search, look: Look, start: Point, t: float) -> tuple[Point, int]:
    """Return what a search of the user's finds, and how often it looked."""
    looks = 0

    def counted(t: float) -> Point:
        nonlocal looks
        looks += 1
        return look(t)

    found = search(counted, start, t)
    if not isinstance(found, Point):
        raise TypeError(f"line_search_fn must return a Point, as look does, got {type_name(found)}")
    return found, looks


def _number(loss: Any) -> float:
    """Return a loss as a number."""
    if loss is None:
        raise TypeError("closure must return the loss, got None")
    return float(loss)
