"""Prodigy: Adam with a rate that it estimates from how far it has come."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from optim_scratch.checks import FLAG, NOT_NEGATIVE, POSITIVE, SHARE, Integer, Number
from optim_scratch.parameter import Array, Parameter, Real

from .optimizer import Group, Optimizer, Parameters, State
from .tiles import Hyper


class Prodigy(Optimizer):
    r"""Prodigy: Adam whose rate is an estimate :math:`d` of the distance to the solution.

    .. math::

       r_{t+1} &= \beta_3\,r_t + \gamma_t d_t\,\langle g_t,\, \theta_0 - \theta_t\rangle \\
       s_{t+1} &= \beta_3\,s_t + \gamma_t d_t\,g_t \\
       m_{t+1} &= \beta_1\,m_t + (1 - \beta_1)\,d_t\,g_t \\
       v_{t+1} &= \beta_2\,v_t + (1 - \beta_2)\,d_t^2\,g_t^2 \\
       d_{t+1} &= \max\bigl(d_t,\; c\,r_{t+1} / \|s_{t+1}\|_1\bigr) \\
       \theta_{t+1} &= (1 - \lambda\gamma_t)\,\theta_t
           - \gamma_t\,\frac{m_{t+1}}{\sqrt{v_{t+1}} + d_{t+1}\,\varepsilon}, \qquad
       \gamma_t = \eta\,d_t

    with :math:`r_0 = s_0 = m_0 = v_0 = 0`. On a convex loss with a solution :math:`\theta^\star`,
    :math:`\langle g_t, \theta_t - \theta^\star \rangle \ge 0`, so that :math:`r \le \langle s,
    \theta_0 - \theta^\star \rangle`: the quotient :math:`r / \|s\|_1` is at most the distance from
    the start to the solution, in its greatest coordinate.

    Parameters
    ----------
    params : iterable of Parameter, or of groups
        What to move.
    lr : float, >= 0
        :math:`\eta`, a multiple of the estimated rate; 1 unless a schedule is wanted. Groups must
        have one and the same, or 0, which leaves them where they are.
    betas : tuple of two, each a float in [0, 1)
        :math:`\beta_1` and :math:`\beta_2`, as Adam's.
    beta3 : float in [0, 1), or None
        :math:`\beta_3`, the share of what the estimate is made of that survives a step;
        :math:`\sqrt{\beta_2}` if None.
    eps : float, > 0
        :math:`\varepsilon`, in units of the gradient.
    weight_decay : float, >= 0
        :math:`\lambda`.
    decouple : bool
        Shrink the parameter, as AdamW does. If not, decay enters the gradient, as Adam's.
    use_bias_correction : bool
        Multiply :math:`\gamma_t` by :math:`\sqrt{1 - \beta_2^{t+1}} / (1 - \beta_1^{t+1})`.
    safeguard_warmup : bool
        Let :math:`s` add up :math:`d_t^2 g_t` in place of :math:`\gamma_t d_t g_t`, so that a rate
        of almost 0, as at the start of a warmup, does not inflate the estimate.
    d0 : float, > 0
        :math:`d_0`, a first estimate below the distance, in units of the parameter.
    d_coef : float, > 0
        :math:`c`, a factor of the estimate.
    growth_rate : float, >= 1
        By what factor the estimate may grow in a step; its first rise from :math:`d_0` has no
        limit, and infinity limits none.
    slice_p : int, >= 1
        Estimate from every so manieth entry of a parameter, to save memory.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range; in a step, if groups have different
        rates above 0.

    Notes
    -----
    Source: Mishchenko & Defazio (2024), the version for Adam, in the form, and with the names and
    defaults, of their package ``prodigyopt`` 1.1. It keeps :math:`r` and :math:`s` in units of
    :math:`d_0`, so that they do not become too small, takes one estimate over all groups, and keeps
    no :math:`m` where :math:`\beta_1` is 0, so that :math:`d_{t+1}` multiplies that gradient; here
    it is :math:`d_t`, as in the paper, for every :math:`\beta_1`. Its flag for parameters that
    several machines share is left out.

    Examples
    --------
    >>> w = Parameter([1.0])
    >>> prodigy = Prodigy([w], d0=0.01)
    >>> for _ in range(100):
    ...     w.grad = np.sign(w.data)  # of |w|
    ...     prodigy.step()
    >>> bool(abs(w.data[0]) < 0.1), 0.1 < prodigy.param_groups[0]["shared"]["d"] < 1
    (True, True)
    """

    limits: ClassVar[dict[str, Any]] = {
        "lr": NOT_NEGATIVE,
        "betas": (SHARE, SHARE),
        "beta3": Number(low=0, high=1, below=True, optional=True),
        "eps": POSITIVE,
        "weight_decay": NOT_NEGATIVE,
        "decouple": FLAG,
        "use_bias_correction": FLAG,
        "safeguard_warmup": FLAG,
        "d0": POSITIVE,
        "d_coef": POSITIVE,
        "growth_rate": Number(low=1, infinite=True),
        "slice_p": Integer(1),
    }
    squares = ("exp_avg_sq",)
    elementwise = False

    def __init__(
        self,
        params: Parameters,
        lr: Real = 1.0,
        betas: tuple[float, float] = (0.9, 0.999),
        beta3: float | None = None,
        eps: float = 1e-8,
        weight_decay: float = 0,
        decouple: bool = True,
        use_bias_correction: bool = False,
        safeguard_warmup: bool = False,
        d0: float = 1e-6,
        d_coef: float = 1.0,
        growth_rate: float = math.inf,
        slice_p: int = 1,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "beta3": beta3,
            "eps": eps,
            "weight_decay": weight_decay,
            "decouple": decouple,
            "use_bias_correction": use_bias_correction,
            "safeguard_warmup": safeguard_warmup,
            "d0": d0,
            "d_coef": d_coef,
            "growth_rate": growth_rate,
            "slice_p": slice_p,
        }
        super().__init__(params, defaults)

    def _begin(self, p: Parameter, h: Hyper) -> State:
        start = p.data.ravel()[:: h["slice_p"]].copy()
        m, v = np.zeros_like(p.data), np.zeros_like(p.data)
        return {"step": 0, "s": np.zeros_like(start), "p0": start, "exp_avg": m, "exp_avg_sq": v}

    def _begin_group(self, group: Group) -> State:
        return {"d": group["d0"], "d_max": group["d0"], "d_numerator": 0.0, "k": 0}

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step, with one estimate for all groups.

        Parameters
        ----------
        closure : callable, optional
            Computes the gradients and returns the loss.

        Returns
        -------
        The closure's loss, or None.

        Raises
        ------
        ValueError
            If groups have different rates above 0.
        """
        loss = self._evaluated(closure)
        with np.errstate(all="ignore"):  # infinities and NaN flow
            moving = [each for group in self.param_groups for each in self._moving(group)]
            self._step_together(moving, self._hyper(self.param_groups[0]))
        self.steps_taken += 1
        return loss

    def _step_together(self, moving: list[Any], h: Hyper) -> None:
        """Estimate d from all parameters, and move them with it."""
        memory = dict(self.param_groups[0]["shared"])
        (beta1, beta2), t, d = h["betas"], memory["k"] + 1, memory["d"]
        # γ = η d, with the correction of both biases on request
        gamma = self._common_rate(self.param_groups) * d
        if h["use_bias_correction"]:
            gamma *= (1 - beta2**t) ** 0.5 / (1 - beta1**t)
        sums = [self._remember(p, g, state, h_, gamma, d) for p, g, state, h_ in moving]
        # r ← β₃ r + …, in units of d₀, and ‖s‖₁
        r = self._beta3(h) * memory["d_numerator"] + sum(inner for inner, _ in sums)
        size = sum(norm for _, norm in sums)
        if size == 0:  # no gradient yet that differs from 0
            return
        # d ← max(d, c r / ‖s‖₁), within its growth
        estimate = h["d_coef"] * r / size
        if d == h["d0"]:
            d = max(d, estimate)
        d_max = max(memory["d_max"], estimate)
        d = min(d_max, d * h["growth_rate"])
        for p, _, state, h_ in moving:
            self._move(p.data, state, h_, gamma, d)
        for group in self.param_groups:
            group["shared"] = {"d": d, "d_max": d_max, "d_numerator": r, "k": t}

    def _read(self, state_dict: Any) -> Any:
        groups, state = super()._read(state_dict)
        self._common_rate(groups)
        return groups, state

    def _common_rate(self, groups: list[Group]) -> float:
        """Return the one rate of all groups that move."""
        rates = {self._hyper(group)["lr"] for group in groups} - {0.0}
        if len(rates) > 1:
            raise ValueError(f"lr must be the same in every group, or 0, got {sorted(rates)}")
        return rates.pop() if rates else 0.0

    def _beta3(self, h: Hyper) -> float:
        """Return β₃, by default √β₂."""
        beta3: float = h["betas"][1] ** 0.5 if h["beta3"] is None else h["beta3"]
        return beta3

    def _remember(
        self, p: Parameter, g: Array, state: State, h: Hyper, gamma: float, d: float
    ) -> tuple[float, float]:
        """Update m, v and s; return the parameter's part of r and of ‖s‖₁."""
        (beta1, beta2), m, v, s = h["betas"], state["exp_avg"], state["exp_avg_sq"], state["s"]
        if h["lr"] == 0:
            return 0.0, 0.0
        # g ← g + λ θ, if decay is not decoupled
        if h["weight_decay"] and not h["decouple"]:
            g = g + h["weight_decay"] * p.data
        # m ← β₁ m + (1 − β₁) d g
        m *= beta1
        m += (1 - beta1) * d * g
        # v ← β₂ v + (1 − β₂) d² g²
        v *= beta2
        v += (1 - beta2) * d * d * g * g
        # s ← β₃ s + γ d g, in units of d₀, of every so manieth entry
        few, unit = g.ravel()[:: h["slice_p"]], d / h["d0"]
        s *= self._beta3(h)
        s += unit * (d if h["safeguard_warmup"] else gamma) * few
        # γ d ⟨g, θ₀ − θ⟩, in units of d₀
        inner = np.dot(few, state["p0"] - p.data.ravel()[:: h["slice_p"]])
        return float(unit * gamma * inner), float(np.abs(s).sum())

    def _move(self, theta: Array, state: State, h: Hyper, gamma: float, d: float) -> None:
        """Take Adam's step at the rate γ; d is the new estimate."""
        state["step"] += 1
        # θ ← (1 − λ γ) θ, if decay is decoupled
        if h["weight_decay"] and h["decouple"]:
            theta *= 1 - h["weight_decay"] * gamma
        # θ ← θ − γ m / (√v + d ε)
        theta -= gamma * state["exp_avg"] / (np.sqrt(state["exp_avg_sq"]) + d * h["eps"])
