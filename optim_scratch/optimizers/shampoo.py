"""Shampoo: a matrix for each axis of a tensor, in place of a rate for each entry."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from optim_scratch.checks import FLAG, NOT_NEGATIVE, POSITIVE, SHARE, Integer
from optim_scratch.parameter import Array, Parameter

from .axes import along, check_squares, gram, unfolded
from .optimizer import Group, Optimizer, Parameters, State, grown
from .tiles import Hyper


class Shampoo(Optimizer):
    r"""Shampoo, Adagrad with a matrix for each axis.

    .. math::

       G_t &= \nabla \mathcal{L}(\Theta_{t-1}) + \lambda\,\Theta_{t-1} \\
       L_t &= L_{t-1} + G_t G_t^\top, \qquad R_t = R_{t-1} + G_t^\top G_t \\
       M_t &= \mu\,M_{t-1} + (1 - \mu)\,G_t \\
       \Theta_t &= \Theta_{t-1} - \eta\,L_t^{-1/4}\,M_t\,R_t^{-1/4}

    with :math:`L_0 = R_0 = \varepsilon I` and :math:`M_0 = 0`. A tensor of :math:`k` axes has a
    matrix for each, of the products of its slices along that axis, and each takes the power
    :math:`-1/2k`: for a vector that is :math:`(\varepsilon I + \sum g g^\top)^{-1/2}`, Adagrad with
    its whole matrix. Of an axis longer than ``max_precond_dim`` only the diagonal is kept, as if
    its slices had nothing to do with each other.

    Parameters
    ----------
    params : iterable of Parameter of one axis or more, or of groups
        What to move. The work of a root grows with the third power of an axis.
    lr : float, >= 0
        Learning rate :math:`\eta`, in units of the parameter: a first step is :math:`\eta` long in
        each direction that the gradient has, and its entries are shorter. The authors' code begins
        with 1.
    momentum : float in [0, 1)
        :math:`\mu`, the share of the mean gradient that survives a step. The matrices are of the
        gradients themselves.
    weight_decay : float, >= 0
        :math:`\lambda`, the strength of an L2 penalty, whose gradient enters the matrices.
    preconditioning_compute_steps : int, >= 1
        How many steps the roots serve, of which the first is one that computes them. The matrices
        take in every gradient.
    matrix_eps : float, > 0
        :math:`\varepsilon`, in units of the squared gradient: where the matrices begin. With 0 the
        root of a first gradient would be infinite in each direction that it has not. In float32
        the default is below the rounding errors of matrices with entries above 10.
    max_precond_dim : int, >= 1
        The longest axis that has a matrix; with 1 there are diagonals alone.
    maximize : bool
        Go up the gradient instead of down.
    decoupled_weight_decay : bool
        Take the decay off the parameter instead of adding it to the gradient, as `AdamW` does.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range, or a parameter has no axis.

    Notes
    -----
    Source: Gupta, Koren & Singer (2018), Algorithms 1 and 2, which have neither momentum nor decay
    nor pauses. The authors' own code, in TensorFlow's ``contrib``, has the mean gradient and the
    pauses as here, and diagonals for long axes, from 768 on. The roots are computed in float64 from
    eigenvalues; none counts less than :math:`\varepsilon`, as none is less but for rounding.

    pytorch-optimizer, whose names and defaults these are but for ``max_precond_dim``, which is
    `SOAP`'s, and ``decoupled_weight_decay``, which is torch's, has no diagonals. Its momentum takes
    in the last *preconditioned* step and feeds it to the matrices as if it were a gradient; with
    pauses it stands still until the first is over; and a number without axis moves by plain SGD.
    Its decay that does not know the rate is left out.

    Examples
    --------
    >>> w = Parameter(np.zeros((2, 2)))
    >>> shampoo = Shampoo([w], lr=0.1)
    >>> w.grad = [[100.0, 0.0], [0.0, -0.5]]
    >>> shampoo.step()
    >>> w.data.round(3).tolist()
    [[-0.1, 0.0], [0.0, 0.1]]
    """

    limits: ClassVar[dict[str, Any]] = {
        "lr": NOT_NEGATIVE,
        "momentum": SHARE,
        "weight_decay": NOT_NEGATIVE,
        "preconditioning_compute_steps": Integer(1),
        "matrix_eps": POSITIVE,
        "max_precond_dim": Integer(1),
        "maximize": FLAG,
        "decoupled_weight_decay": FLAG,
    }
    elementwise = False

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-3,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        preconditioning_compute_steps: int = 1,
        matrix_eps: float = 1e-6,
        max_precond_dim: int = 768,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "weight_decay": weight_decay,
            "preconditioning_compute_steps": preconditioning_compute_steps,
            "matrix_eps": matrix_eps,
            "max_precond_dim": max_precond_dim,
            "maximize": maximize,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def _check(self, group: Group) -> None:
        for p in group["params"]:
            if p.data.ndim == 0:
                raise ValueError("params of Shampoo must have an axis, got one of shape ()")

    def _begin(self, p: Parameter, h: Hyper) -> State:
        state: State = {"step": 0, "momentum_buffer": None}
        for axis, n in enumerate(p.shape):
            unit = np.ones(n, p.dtype) if n > h["max_precond_dim"] else np.eye(n, dtype=p.dtype)
            state[f"pre_cond_{axis}"] = unit * p.dtype.type(h["matrix_eps"])
            state[f"inv_pre_cond_{axis}"] = np.zeros_like(unit)
        return state

    def _check_state(self, p: Parameter, state: State) -> None:
        check_squares(state, "pre_cond")

    def _update(self, theta: Array, g: Array, state: State, h: Hyper) -> None:
        eta, mu, lam = h["lr"], h["momentum"], h["weight_decay"]
        due = state["step"] % h["preconditioning_compute_steps"] == 0
        state["step"] += 1
        # G ← G + λ Θ; decoupled: Θ ← (1 − η λ) Θ
        if h["decoupled_weight_decay"]:
            theta *= 1 - eta * lam
        elif lam:
            g = g + lam * theta
        # M ← μ M + (1 − μ) G, in place of G
        u = g
        if mu:
            u = grown(state, "momentum_buffer", theta)
            u *= mu
            u += (1 - mu) * g
        for axis in range(theta.ndim):
            p, root = state[f"pre_cond_{axis}"], state[f"inv_pre_cond_{axis}"]
            # P ← P + G Gᵀ along the axis: L along the first, R along the second
            p += gram(g, axis) if p.ndim == 2 else np.square(unfolded(g, axis)).sum(axis=1)
            if due:
                root[...] = inverse_root(p, 2 * theta.ndim, h["matrix_eps"])
            # U ← P^(−1/2k) U along the axis: L^(−1/4) M R^(−1/4) after both
            u = along(root, u, axis)
        # Θ ← Θ − η U
        theta -= eta * u


def inverse_root(matrix: Array, k: int, least: float) -> Array:
    r"""Return the power :math:`-1/k` of a symmetric matrix, or of the diagonal of one.

    .. math:: P = Q \operatorname{diag}(s)\,Q^\top \quad\Rightarrow\quad
       P^{-1/k} = Q \operatorname{diag}(s^{-1/k})\,Q^\top

    Parameters
    ----------
    matrix : ndarray of shape (n, n) or (n,)
        The matrix. One that is not finite has a root of NaN.
    k : int
        Which root.
    least : float
        The least that an eigenvalue counts.

    Returns
    -------
    ndarray of its shape, in float64
    """
    if matrix.ndim == 1:
        roots: Array = np.maximum(matrix, least, dtype=np.float64) ** (-1 / k)
        return roots
    if not np.isfinite(matrix).all():
        return np.full(matrix.shape, np.nan)
    s, q = np.linalg.eigh(matrix.astype(np.float64))
    root: Array = q * np.maximum(s, least) ** (-1 / k) @ q.T
    return root
