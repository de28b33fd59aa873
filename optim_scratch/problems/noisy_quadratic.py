"""The simplest model of training with batches: a bowl whose gradients carry noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from optim_scratch.checks import ANY, FRACTION, NOT_NEGATIVE, POSITIVE, SHARE, Integer, Number
from optim_scratch.parameter import Array


class NoisyQuadratic:
    r"""A quadratic bowl whose gradients carry noise: the simplest model of training with batches.

    .. math::

       \mathcal{L}(\theta) = \tfrac12 \sum_i h_i \theta_i^2, \qquad
       g_i = h_i \theta_i + \sigma_i \varepsilon_i, \quad \varepsilon_i \sim N(0, 1)

    Parameters
    ----------
    curvatures : array_like of shape (d,), > 0
        :math:`h`, the eigenvalues of the Hessian.
    noise : float or array_like of shape (d,), >= 0
        :math:`\sigma`, the standard deviation of each entry of the gradient. A batch of B
        examples has one :math:`\sqrt B` times smaller than a single example.
    start : array_like of shape (d,), optional
        Where descents begin; ones if not given.
    seed : int, >= 0
        Of the noise. Each call of `gradient` draws anew.

    Raises
    ------
    TypeError, ValueError
        If there is no curvature or one is not above 0, a noise is below 0, one of them or the start
        is not finite, the shapes differ, or `seed` is no integer of at least 0.

    Notes
    -----
    Source: the model of Schaul, Zhang & LeCun (2013) and Zhang et al. (2019).

    Examples
    --------
    >>> problem = NoisyQuadratic([1.0, 10.0], noise=1.0)
    >>> problem.stationary_loss(lr=0.1)
    0.07631578947368421
    """

    def __init__(
        self,
        curvatures: ArrayLike,
        noise: ArrayLike,
        *,
        start: ArrayLike | None = None,
        seed: int = 0,
    ) -> None:
        self.curvatures = _row("curvatures", curvatures, POSITIVE)
        if not self.curvatures.size:
            raise ValueError(f"curvatures must hold at least one number, got {curvatures!r}")
        self.noise = self._like_curvatures("noise", noise, NOT_NEGATIVE)
        self.start = self._like_curvatures("start", 1.0 if start is None else start, ANY)
        self._rng = np.random.default_rng(Integer(0).check("seed", seed))

    def _like_curvatures(self, name: str, values: ArrayLike, kind: Number) -> Array:
        array = np.asarray(kind.check_array(name, values), dtype=np.float64)
        if array.shape not in ((), self.curvatures.shape):
            raise ValueError(
                f"{name} must be one number or of shape {self.curvatures.shape}, got {array.shape}"
            )
        return np.broadcast_to(array, self.curvatures.shape)

    def value(self, theta: Array) -> Array:
        """Return the expected loss at `theta`, of shape (..., d): an array of shape (...)."""
        return np.asarray(0.5 * np.sum(self.curvatures * theta**2, axis=-1))

    def gradient(self, theta: Array) -> Array:
        """Return a noisy gradient at `theta`, of shape (..., d), with fresh noise in each entry."""
        noise = self.noise * self._rng.standard_normal(np.shape(theta))
        return np.asarray(self.curvatures * theta + noise)

    def stationary_loss(self, lr: float, momentum: float = 0.0) -> float:
        r"""Return the expected loss that SGD settles at with a constant rate.

        .. math:: \tfrac12 \sum_i
           \frac{\eta\,\sigma_i^2\,(1+\mu)}{(1-\mu)\,(2(1+\mu) - \eta h_i)}

        Parameters
        ----------
        lr : float, >= 0
            The rate :math:`\eta`.
        momentum : float in [0, 1)
            :math:`\mu`, in torch's form, without dampening or Nesterov's step.

        Returns
        -------
        float
            Infinite where :math:`\eta h_i \ge 2(1+\mu)` for some i: SGD does not settle there.

        Raises
        ------
        TypeError, ValueError
            If an argument is not a number or outside its range.

        Notes
        -----
        Source: derived in the chapter on step decay.
        """
        lr = NOT_NEGATIVE.check("lr", lr)
        momentum = SHARE.check("momentum", momentum)
        gap = 2 * (1 + momentum) - lr * self.curvatures
        if np.any(gap <= 0):
            return np.inf
        return float(0.5 * np.sum(lr * self.noise**2 * (1 + momentum) / ((1 - momentum) * gap)))

    def expected_losses(self, rates: ArrayLike, momentum: float = 0.0) -> Array:
        r"""Return the exact expected loss along a schedule, with no simulation.

        The second moments :math:`E\theta^2, E\theta b, E b^2` obey a linear recursion, since a step
        is linear in :math:`\theta`, the buffer b and noise independent of both.

        Parameters
        ----------
        rates : array_like of shape (steps,), >= 0
            The rate of each step.
        momentum : float in [0, 1]
            :math:`\mu`, in torch's form; 1 is a buffer that never forgets.

        Returns
        -------
        ndarray of shape (steps + 1,)
            Before the first step, and after each; without bound, and at last not finite, where
            the rates make it diverge.

        Raises
        ------
        TypeError, ValueError
            If an argument is not of numbers or outside its range.
        """
        etas = _row("rates", rates, NOT_NEGATIVE)
        h, s2, mu = self.curvatures, self.noise**2, FRACTION.check("momentum", momentum)
        tt, tb, bb = self.start**2, np.zeros_like(h), np.zeros_like(h)
        losses = [0.5 * np.sum(h * tt)]
        with np.errstate(over="ignore", invalid="ignore"):  # to diverge is a result
            for eta in etas:
                # b' = μ b + h θ + σ ε
                bb = mu**2 * bb + 2 * mu * h * tb + h**2 * tt + s2
                tb = mu * tb + h * tt
                # θ' = θ − η b'
                tt, tb = tt - 2 * eta * tb + eta**2 * bb, tb - eta * bb
                losses.append(0.5 * np.sum(h * tt))
        return np.array(losses)


def _row(name: str, values: ArrayLike, kind: Number) -> Array:
    """Return a list of numbers as an array of one axis."""
    row = np.asarray(kind.check_array(name, values), dtype=np.float64)
    if row.ndim != 1:
        raise ValueError(f"{name} must be a list of numbers, got {values!r}")
    return row
