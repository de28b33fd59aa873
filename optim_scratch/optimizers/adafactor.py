"""Adafactor: a matrix of mean squares from its rows and columns alone."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from optim_scratch.checks import FLAG, NOT_NEGATIVE, Number
from optim_scratch.parameter import Array, Parameter, Real

from .optimizer import Optimizer, Parameters, State
from .tiles import Hyper


class Adafactor(Optimizer):
    r"""Adafactor, in memory that grows with the sides of a matrix and not with its area.

    .. math::

       \hat\beta_t &= 1 - t^{\,\gamma} \\
       R_t &= \hat\beta_t\,R_{t-1} + (1 - \hat\beta_t)\,\overline{G_t^2}^{\text{ rows}}, \qquad
       C_t = \hat\beta_t\,C_{t-1} + (1 - \hat\beta_t)\,\overline{G_t^2}^{\text{ columns}} \\
       V_t &= R_t C_t / \overline{R_t}, \qquad U_t = G_t / \sqrt{V_t} \\
       \hat U_t &= U_t / \max(1, \operatorname{rms}(U_t) / d) \\
       \alpha_t &= \max(\varepsilon_2, \operatorname{rms}(\Theta_{t-1}))\,
           \min(\eta, 1/\sqrt{t}) \\
       \Theta_t &= (1 - \eta\lambda)\,\Theta_{t-1} - \alpha_t\,\hat U_t

    :math:`R` is a column with the mean of each row, :math:`C` a row with the mean of each column:
    their product over the mean of all is :math:`V`, exact where it has rank 1. A vector keeps its
    own :math:`V`. Tensors of more axes are factored along the last two.

    Parameters
    ----------
    params : iterable of Parameter, or of groups
        What to move.
    lr : float, >= 0
        :math:`\eta`, the greatest relative step: a step's root mean square is at most this share of
        the parameter's own, times :math:`d`.
    beta2_decay : float, <= 0
        :math:`\gamma`, by which the mean reaches back ever farther.
    eps : tuple of a float >= 0 or None, and a float >= 0
        :math:`\varepsilon_1`, below whose square no mean square counts, the dtype's precision if
        None, and :math:`\varepsilon_2`, the least size that a parameter is taken to have.
    d : float, >= 1
        The greatest root mean square of an update before the rate.
    weight_decay : float, >= 0
        :math:`\lambda`, decoupled; in units of the rate, not of the relative step.
    maximize : bool
        Go up the gradient instead of down.

    Notes
    -----
    Source: Shazeer & Stern (2018), Algorithms 4 and 5. They add :math:`\varepsilon_1` to the
    squared gradients, and take 1e-30 for it; torch, and so this class, bounds :math:`V` from below
    by :math:`\varepsilon_1^2` and :math:`\overline{R}` by :math:`\varepsilon_1` itself, which in
    float32 is above it for gradients smaller than 3e-4: then :math:`V` comes out too small, and a
    step has the root mean square that :math:`d` allows. They take no rate, but
    :math:`\min(10^{-2}, 1/\sqrt t)`, which is the default here; no decay; and, on request, a mean
    gradient, which torch leaves out.

    Examples
    --------
    >>> w = Parameter(np.ones((2, 3)))
    >>> adafactor = Adafactor([w], lr=0.1)
    >>> w.grad = np.outer([1.0, -2.0], [1.0, 10.0, 100.0])
    >>> adafactor.step()
    >>> w.data.round(3).tolist()
    [[0.9, 0.9, 0.9], [1.1, 1.1, 1.1]]
    """

    limits: ClassVar[dict[str, Any]] = {
        "lr": NOT_NEGATIVE,
        "beta2_decay": Number(high=0),
        "eps": (Number(low=0, optional=True), NOT_NEGATIVE),
        "d": Number(low=1),
        "weight_decay": NOT_NEGATIVE,
        "maximize": FLAG,
    }
    squares = ("row_var", "col_var", "variance")
    elementwise = False

    def __init__(
        self,
        params: Parameters,
        lr: Real = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "beta2_decay": beta2_decay,
            "eps": eps,
            "d": d,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _begin(self, p: Parameter, h: Hyper) -> State:
        if p.data.ndim < 2:
            return {"step": 0, "variance": np.zeros_like(p.data)}
        squares = np.zeros_like(p.data)
        rows, columns = (squares.mean(axis, keepdims=True) for axis in (-1, -2))
        return {"step": 0, "row_var": rows, "col_var": columns}

    def _update(self, theta: Array, g: Array, state: State, h: Hyper) -> None:
        state["step"] += 1
        t, eta, (eps1, eps2) = state["step"], h["lr"], h["eps"]
        eps1 = float(np.finfo(theta.dtype).eps) if eps1 is None else eps1
        # α = max(ε₂, rms(θ)) min(η, 1/√t)
        alpha = max(eps2, rms(theta)) * min(eta, t**-0.5)
        # θ ← (1 − η λ) θ
        if h["weight_decay"]:
            theta *= 1 - eta * h["weight_decay"]
        # u = g / √v, with v estimated from its rows and columns
        v = mean_squares(g, state, t ** h["beta2_decay"], eps1)
        u = g / np.sqrt(np.maximum(v, eps1 * eps1))
        # θ ← θ − α u / max(1, rms(u) / d)
        theta -= alpha / max(1.0, rms(u) / h["d"]) * u


def mean_squares(g: Array, state: State, share: float, eps1: float) -> Array:
    """Take in a gradient, which weighs `share`, and return the mean squares of all entries."""
    if g.ndim < 2:
        variance: Array = state["variance"]
        variance *= 1 - share
        variance += share * g * g
        return variance
    rows, columns = state["row_var"], state["col_var"]
    # R ← β̂ R + (1 − β̂) mean of g² along each row, and C along each column
    for mean, axis in ((rows, -1), (columns, -2)):
        mean *= 1 - share
        mean += share * np.mean(g * g, axis=axis, keepdims=True)
    # V = R C / mean of R
    estimate: Array = rows * columns / np.maximum(rows.mean(axis=-2, keepdims=True), eps1)
    return estimate


def rms(values: Array) -> float:
    """Return the root of the mean square, of half precision's largest numbers too."""
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))
