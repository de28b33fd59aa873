"""Muon: momentum, made orthogonal before it is a step."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from optim_scratch.checks import ANY, FLAG, NOT_NEGATIVE, SHARE, Choice, Integer
from optim_scratch.parameter import Array, Parameter

from .optimizer import Group, Optimizer, Parameters, State
from .tiles import Hyper

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of Jordan's quintic: steep at 0, and from about 0.7 to 1.2 where it has led."""


class Muon(Optimizer):
    r"""Muon, momentum orthogonalised by Newton and Schulz's iteration.

    .. math::

       B_t &= \mu\,B_{t-1} + (1 - \mu)\,G_t \\
       O_t &= \operatorname{ortho}\bigl(\mu\,B_t + (1 - \mu)\,G_t\bigr)
           \quad\text{or, without Nesterov's step, } \operatorname{ortho}(B_t) \\
       \Theta_t &= (1 - \eta\lambda)\,\Theta_{t-1} - \eta\,s\,O_t

    where :math:`\operatorname{ortho}` takes a matrix :math:`U S V^\top` to nearly :math:`U V^\top`
    (`orthogonalized`), and :math:`s` goes by its shape.

    Parameters
    ----------
    params : iterable of Parameter of two axes, or of groups
        What to move: the matrices of hidden layers. Kernels of convolutions are to be flattened to
        (out, in · height · width). Vectors, embeddings and the last layer are for another method.
    lr : float, >= 0
        Learning rate :math:`\eta`: the length of the step in each direction of the matrix.
    weight_decay : float, >= 0
        :math:`\lambda`, decoupled.
    momentum : float in [0, 1)
        :math:`\mu`. torch admits 1 and more.
    nesterov : bool
        Take Nesterov's step.
    ns_coefficients : tuple of three floats
        :math:`a, b, c` of the iteration.
    eps : float, >= 0
        The least norm that the matrix is divided by.
    ns_steps : int in [1, 100)
        How many iterations.
    adjust_lr_fn : {None, "original", "match_rms_adamw"}
        What :math:`s` is for a matrix of m rows and n columns: :math:`\sqrt{\max(1, m/n)}`, which
        None means too, or :math:`0.2\sqrt{\max(m, n)}`, with which steps are about as long as
        AdamW's.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range, or a parameter has not two axes.

    Notes
    -----
    Source: Jordan et al. (2024); Liu et al. (2025) for decay and ``"match_rms_adamw"``. Jordan's
    buffer is the sum :math:`\mu B + G`, torch's, and so this one's, the mean: all the same but for
    :math:`\varepsilon`, as a matrix and its multiple are made orthogonal alike. He adds
    :math:`\varepsilon` to the norm; here it bounds the norm. torch computes the iteration in
    bfloat16, this class in the parameter's own precision: a step agrees with torch's to some
    hundredths, to less in a direction in which the matrix is nearly singular.

    Examples
    --------
    >>> w = Parameter(np.zeros((2, 2)))
    >>> muon = Muon([w], lr=1.0)
    >>> w.grad = [[100.0, 0.0], [0.0, -50.0]]
    >>> muon.step()
    >>> bool(np.abs(np.linalg.svd(w.data)[1] - 1).max() < 0.35)
    True
    """

    limits: ClassVar[dict[str, Any]] = {
        "lr": NOT_NEGATIVE,
        "weight_decay": NOT_NEGATIVE,
        "momentum": SHARE,
        "nesterov": FLAG,
        "ns_coefficients": (ANY, ANY, ANY),
        "eps": NOT_NEGATIVE,
        "ns_steps": Integer(1, high=99),
        "adjust_lr_fn": Choice((None, "original", "match_rms_adamw")),
    }
    elementwise = False

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = COEFFICIENTS,
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "nesterov": nesterov,
            "ns_coefficients": ns_coefficients,
            "eps": eps,
            "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn,
        }
        super().__init__(params, defaults)

    def _check(self, group: Group) -> None:
        for p in group["params"]:
            if p.data.ndim != 2:
                raise ValueError(f"params of Muon must be matrices, got one of shape {p.shape}")

    def _begin(self, p: Parameter, h: Hyper) -> State:
        return {"momentum_buffer": np.zeros_like(p.data)}

    def _update(self, theta: Array, g: Array, state: State, h: Hyper) -> None:
        eta, mu, b = h["lr"], h["momentum"], state["momentum_buffer"]
        # B ← μ B + (1 − μ) G
        b *= mu
        b += (1 - mu) * g
        # O = ortho(μ B + (1 − μ) G) with Nesterov's step, else ortho(B)
        u = mu * b + (1 - mu) * g if h["nesterov"] else b
        o = orthogonalized(u, h["ns_coefficients"], h["ns_steps"], h["eps"])
        # Θ ← (1 − η λ) Θ − η s O
        theta *= 1 - eta * h["weight_decay"]
        theta -= eta * scale(theta.shape, h["adjust_lr_fn"]) * o


def orthogonalized(
    matrix: Array,
    coefficients: tuple[float, float, float] = COEFFICIENTS,
    steps: int = 5,
    eps: float = 1e-7,
) -> Array:
    r"""Return a matrix with the same singular vectors and singular values near 1.

    .. math:: X \leftarrow a X + (b A + c A^2) X, \qquad A = X X^\top

    begins with the matrix over its norm. Each step takes every singular value :math:`s` to
    :math:`a s + b s^3 + c s^5` and leaves the singular vectors alone.

    Parameters
    ----------
    matrix : ndarray of shape (m, n)
        What to orthogonalise.
    coefficients : tuple of three floats
        :math:`a, b, c`.
    steps : int
        How many.
    eps : float
        The least norm to divide by.

    Returns
    -------
    ndarray of shape (m, n)

    Notes
    -----
    Source: Jordan et al. (2024).
    """
    a, b, c = coefficients
    wide = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix  # so that A is the smaller
    # in float64, as the squares of a float16 may be too large for one
    norm = np.sqrt(np.sum(np.square(wide, dtype=np.float64)))
    x = (wide / np.maximum(norm, eps)).astype(matrix.dtype)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if wide is not matrix else x


def scale(shape: tuple[int, ...], adjust: str | None) -> float:
    """Return what multiplies the rate for a matrix of this shape."""
    rows, columns = shape
    if adjust == "match_rms_adamw":
        return float(0.2 * max(rows, columns) ** 0.5)
    return float(max(1.0, rows / columns) ** 0.5)
