"""SOAP: Adam on axes along which the gradient's entries have nothing to do with each other."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from optim_scratch.checks import FLAG, NOT_NEGATIVE, SHARE, Integer, Number
from optim_scratch.parameter import Array, Parameter

from .axes import along, check_squares, gram
from .optimizer import Optimizer, Parameters, State
from .tiles import Hyper


class SOAP(Optimizer):
    r"""SOAP, Shampoo with Adam in the preconditioner's eigenbasis.

    .. math::

       G_t &= \nabla \mathcal{L}(\Theta_{t-1}), \qquad G'_t = Q_L^\top G_t\,Q_R \\
       M_t &= \beta_1\,M_{t-1} + (1 - \beta_1)\,G_t, \qquad M'_t = Q_L^\top M_t\,Q_R \\
       V_t &= \beta_2\,V_{t-1} + (1 - \beta_2)\,{G'_t}^2 \\
       \Theta_t &= (1 - \eta\lambda) \left(\Theta_{t-1} - \eta_t\,Q_L\,
           \frac{M'_t}{\sqrt{V_t} + \varepsilon}\,Q_R^\top\right), \qquad
       \eta_t = \eta\,\frac{\sqrt{1 - \beta_2^t}}{1 - \beta_1^t} \\
       L_t &= \beta_3\,L_{t-1} + (1 - \beta_3)\,G_t G_t^\top, \qquad
       R_t = \beta_3\,R_{t-1} + (1 - \beta_3)\,G_t^\top G_t

    with :math:`M_0 = V_0 = 0`. The columns of :math:`Q_L` and :math:`Q_R` are eigenvectors of
    :math:`L` and :math:`R`, those of the largest eigenvalues first: at first by a decomposition,
    then every :math:`f` steps by one step of power iteration, :math:`Q \leftarrow
    \operatorname{qr}(L\,Q)`. The first gradient only finds the basis, and moves nothing, so that no
    gradient is measured by a basis of its own. A tensor of more axes has a basis along each.

    Parameters
    ----------
    params : iterable of Parameter, or of groups
        What to move. Along an axis without basis it is Adam as it is: see `max_precond_dim` and
        `precondition_1d`; a number without axis has none.
    lr : float, >= 0
        Learning rate :math:`\eta`, in units of the parameter, as Adam's.
    betas : tuple of two, each a float in [0, 1)
        :math:`\beta_1` and :math:`\beta_2`, as Adam's.
    shampoo_beta : float in [0, 1), or None
        :math:`\beta_3`, the share of :math:`L` and :math:`R` that survives a step;
        :math:`\beta_2` if None.
    eps : float, >= 0
        :math:`\varepsilon`, in units of the gradient, beside the root of :math:`V` before its bias
        is corrected: in the first steps it weighs more than Adam's.
    weight_decay : float, >= 0
        :math:`\lambda`, decoupled.
    precondition_frequency : int, >= 1
        :math:`f`, how many steps a basis serves.
    max_precond_dim : int, >= 1
        The longest axis that has a basis; with 1 it is Adam.
    merge_dims : bool
        Take neighbouring axes for one while the product of their sides is at most
        ``max_precond_dim``: a kernel of a convolution for a matrix.
    precondition_1d : bool
        Give vectors a basis too.
    correct_bias : bool
        Take :math:`\eta_t`; else :math:`\eta`.
    maximize : bool
        Go up the gradient instead of down.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range.

    Notes
    -----
    Source: Vyas et al. (2025), Algorithms 3 and 4, in the form, and with the names and defaults, of
    the authors' code, which adds to them: the first gradient moves nothing, eigenvectors are put in
    the order of their eigenvalues before each power iteration, and :math:`V` with them, and decay
    is taken off the new point. It can also divide a step by its root mean square, and order the
    axes of kernels as another layout wants them, both left out here. Decompositions are in float64.

    pytorch-optimizer's does them in float32 whatever the parameter, gives a parameter whose first
    gradient comes late the step count of its group, in which case its first gradient does move it,
    and cannot merge all axes into one.

    Examples
    --------
    >>> w = Parameter(np.zeros((2, 2)))
    >>> soap = SOAP([w], lr=0.1, weight_decay=0.0)
    >>> for _ in range(2):
    ...     w.grad = np.outer([3.0, 4.0], [1.0, 0.0])  # along one direction on either side
    ...     soap.step()
    >>> w.data.round(3).tolist()
    [[-0.06, 0.0], [-0.08, 0.0]]
    """

    limits: ClassVar[dict[str, Any]] = {
        "lr": NOT_NEGATIVE,
        "betas": (SHARE, SHARE),
        "shampoo_beta": Number(low=0, high=1, below=True, optional=True),
        "eps": NOT_NEGATIVE,
        "weight_decay": NOT_NEGATIVE,
        "precondition_frequency": Integer(1),
        "max_precond_dim": Integer(1),
        "merge_dims": FLAG,
        "precondition_1d": FLAG,
        "correct_bias": FLAG,
        "maximize": FLAG,
    }
    squares = ("exp_avg_sq",)
    elementwise = False

    def __init__(
        self,
        params: Parameters,
        lr: float = 3e-3,
        betas: tuple[float, float] = (0.95, 0.95),
        shampoo_beta: float | None = None,
        eps: float = 1e-8,
        weight_decay: float = 0.01,
        precondition_frequency: int = 10,
        max_precond_dim: int = 10_000,
        merge_dims: bool = False,
        precondition_1d: bool = False,
        correct_bias: bool = True,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "shampoo_beta": shampoo_beta,
            "eps": eps,
            "weight_decay": weight_decay,
            "precondition_frequency": precondition_frequency,
            "max_precond_dim": max_precond_dim,
            "merge_dims": merge_dims,
            "precondition_1d": precondition_1d,
            "correct_bias": correct_bias,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _begin(self, p: Parameter, h: Hyper) -> State:
        state = {"step": 0, "exp_avg": np.zeros_like(p.data), "exp_avg_sq": np.zeros_like(p.data)}
        for axis, n in enumerate(sides(p.shape, h)):
            if n <= h["max_precond_dim"] and (p.data.ndim > 1 or h["precondition_1d"]):
                state[f"GG_{axis}"] = np.zeros((n, n), p.dtype)
                state[f"Q_{axis}"] = np.eye(n, dtype=p.dtype)
        return state

    def _check_state(self, p: Parameter, state: State) -> None:
        check_squares(state, "GG")

    def _update(self, theta: Array, g: Array, state: State, h: Hyper) -> None:
        t = state["step"]  # of Adam, which is not shown the first gradient
        state["step"] += 1
        if t > 0:
            self._move(theta, g, state, h, t)
        beta3 = h["betas"][1] if h["shampoo_beta"] is None else h["shampoo_beta"]
        shape = sides(theta.shape, h)
        for axis, q in bases(state):
            p = state[f"GG_{axis}"]
            # P ← β₃ P + (1 − β₃) G Gᵀ along the axis: L along the first, R along the second
            p *= beta3
            p += (1 - beta3) * gram(g.reshape(shape), axis)
            if t == 0:
                q[...] = eigenvectors(p)
            elif t % h["precondition_frequency"] == 0:
                # Q ← qr(P Q), and V with it, in the order of the eigenvalues
                q[...], order = power_iteration(p, q)
                v = state["exp_avg_sq"].reshape(shape).take(order, axis)
                state["exp_avg_sq"] = v.reshape(theta.shape)

    def _move(self, theta: Array, g: Array, state: State, h: Hyper, t: int) -> None:
        """Take Adam's step t in the eigenbasis."""
        (beta1, beta2), m, v = h["betas"], state["exp_avg"], state["exp_avg_sq"]
        # M ← β₁ M + (1 − β₁) G
        m *= beta1
        m += (1 - beta1) * g
        # G' = Q_Lᵀ G Q_R and M' = Q_Lᵀ M Q_R, as far as there is a basis
        shape = sides(theta.shape, h)
        g, m = g.reshape(shape), m.reshape(shape)
        for axis, q in bases(state):
            g, m = along(q.T, g, axis), along(q.T, m, axis)
        # V ← β₂ V + (1 − β₂) G'²
        v *= beta2
        v += (1 - beta2) * (g * g).reshape(v.shape)
        # η √(1 − β₂ᵗ) / (1 − β₁ᵗ)
        eta = h["lr"]
        if h["correct_bias"]:
            eta *= (1 - beta2**t) ** 0.5 / (1 - beta1**t)
        # U = Q_L M' / (√V + ε) Q_Rᵀ
        u = m / (np.sqrt(v.reshape(shape)) + h["eps"])
        for axis, q in bases(state):
            u = along(q, u, axis)
        # Θ ← (1 − η λ) (Θ − η U)
        theta -= eta * u.reshape(theta.shape)
        theta *= 1 - h["lr"] * h["weight_decay"]


def bases(state: State) -> list[tuple[int, Array]]:
    """Return each axis that has a basis, and its basis.

    Parameters
    ----------
    state : dict
        Of a parameter.
    """
    return [(int(name[2:]), q) for name, q in state.items() if name.startswith("Q_")]


def sides(shape: tuple[int, ...], h: Hyper) -> tuple[int, ...]:
    """Return a tensor's shape, with neighbouring axes as one where they are to be merged.

    Parameters
    ----------
    shape : tuple of int
        Of the parameter. One of a single axis stays as it is.
    h : dict
        ``merge_dims``, and ``max_precond_dim``, the longest that a merged axis may be.

    Examples
    --------
    >>> sides((64, 3, 5, 5), {"merge_dims": True, "max_precond_dim": 100})
    (64, 75)
    """
    if not h["merge_dims"]:
        return shape
    merged: list[int] = []
    for n in shape:
        if merged and merged[-1] * n <= h["max_precond_dim"]:
            merged[-1] *= n
        else:
            merged.append(n)
    return tuple(merged)


def eigenvectors(matrix: Array) -> Array:
    """Return the eigenvectors of a symmetric matrix as columns, the largest eigenvalue's first.

    Parameters
    ----------
    matrix : ndarray of shape (n, n)
        The matrix. One that is not finite has eigenvectors of NaN.

    Returns
    -------
    ndarray of shape (n, n), in float64
    """
    if not np.isfinite(matrix).all():
        return np.full(matrix.shape, np.nan)
    return np.linalg.eigh(matrix.astype(np.float64))[1][:, ::-1]


def power_iteration(matrix: Array, q: Array) -> tuple[Array, Array]:
    r"""Return eigenvectors that are nearer to a matrix that has changed, and their order.

    .. math:: Q \leftarrow \operatorname{qr}(P\,Q)

    Parameters
    ----------
    matrix : ndarray of shape (n, n)
        The symmetric matrix :math:`P`.
    q : ndarray of shape (n, n)
        The eigenvectors of what it was, as columns.

    Returns
    -------
    ndarray of shape (n, n), in float64
        The new ones, the largest eigenvalue's first.
    ndarray of shape (n,)
        Which column each of them was.
    """
    product = matrix.astype(np.float64) @ q
    # qᵀ P q for each column estimates its eigenvalue
    order = np.argsort(-np.sum(q * product, axis=0), kind="stable")
    return np.linalg.qr(product[:, order])[0], order
