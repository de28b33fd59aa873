"""SparseAdam: Adam for gradients of which only some rows are given; the others stand still."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from optim_scratch.checks import FLAG, NOT_NEGATIVE, SHARE
from optim_scratch.parameter import Array, Parameter, RowSparse

from .optimizer import Group, Optimizer, Parameters, State
from .tiles import Hyper, tiles


class SparseAdam(Optimizer):
    r"""Adam for row-sparse gradients, one row at a time: lazy Adam.

    .. math::

       m_r &\leftarrow \beta_1\,m_r + (1 - \beta_1)\,g_r \\
       v_r &\leftarrow \beta_2\,v_r + (1 - \beta_2)\,g_r^2 \\
       \theta_r &\leftarrow \theta_r
           - \eta\,\frac{\sqrt{1 - \beta_2^t}}{1 - \beta_1^t}\,\frac{m_r}{\sqrt{v_r} + \varepsilon}

    for those rows r of which a gradient is given. The others keep their means, and stay where they
    are. `Adam`, given the dense gradient, lets the means of those rows fade, and moves them on by
    what is left of :math:`m_r`.

    The biases are corrected by the number :math:`t` of all steps, and not by how many a row has
    seen. A row that is new at a late step has means of too little: its first step is
    :math:`(1 - \beta_1) / \sqrt{1 - \beta_2}` times the rate, 3.2 times with the usual betas.

    Parameters
    ----------
    params : iterable of Parameter, or of groups
        What to move; each has at least one axis. Each gradient must be a
        :class:`~optim_scratch.parameter.RowSparse`.
    lr : float, >= 0
        Learning rate :math:`\eta`, in units of the parameter. torch wants more than 0.
    betas : tuple of two, each a float in [0, 1)
        :math:`\beta_1` and :math:`\beta_2`, the shares of a row's means that survive a step in
        which the row has a gradient.
    eps : float, >= 0
        :math:`\varepsilon`, in units of the gradient. torch wants more than 0.
    maximize : bool
        Go up the gradient instead of down.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range; in a step, if a gradient is dense.

    Notes
    -----
    Source: no paper; torch's class of this name, whose numbers these are. It is Algorithm 1 of
    Kingma & Ba (2015) on some rows, with :math:`\varepsilon` added to the root before its bias is
    corrected, as at the end of their section 2; `Adam` adds it afterwards. Rows that are given are
    moved even if their gradient is 0.

    Examples
    --------
    >>> words = Parameter(np.zeros((3, 2)))
    >>> sparse_adam = SparseAdam([words], lr=0.1)
    >>> words.grad = RowSparse([2], [[5.0, -0.01]], shape=(3, 2))
    >>> sparse_adam.step()
    >>> words.data.round(3).tolist()
    [[0.0, 0.0], [0.0, 0.0], [-0.1, 0.1]]
    """

    limits: ClassVar[dict[str, Any]] = {
        "lr": NOT_NEGATIVE,
        "betas": (SHARE, SHARE),
        "eps": NOT_NEGATIVE,
        "maximize": FLAG,
    }
    squares = ("exp_avg_sq",)
    elementwise = False

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize})

    def _check_gradient(self, g: Any, group: Group) -> None:
        if g is not None and not isinstance(g, RowSparse):
            raise TypeError(
                "SparseAdam takes row-sparse gradients alone: take Adam, or set grad to "
                "RowSparse.of(grad)"
            )

    def _begin(self, p: Parameter, h: Hyper) -> State:
        return {"step": 0, "exp_avg": np.zeros_like(p.data), "exp_avg_sq": np.zeros_like(p.data)}

    def _update(self, theta: Array, g: Any, state: State, h: Hyper) -> None:
        state["step"] += 1
        t, eta, (beta1, beta2), eps = state["step"], h["lr"], h["betas"], h["eps"]
        # of each array the rows that g has
        for _, theta, g, m, v in tiles(h, theta, g, state["exp_avg"], state["exp_avg_sq"]):
            # m ← β₁ m + (1 − β₁) g
            m *= beta1
            m += (1 - beta1) * g
            # v ← β₂ v + (1 − β₂) g²
            v *= beta2
            v += (1 - beta2) * g * g
            # θ ← θ − η √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√v + ε)
            theta -= eta * (1 - beta2**t) ** 0.5 / (1 - beta1**t) * m / (np.sqrt(v) + eps)
