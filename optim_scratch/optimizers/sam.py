"""SAM: the gradient of the steepest neighbour, towards flat minima."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from optim_scratch.checks import FLAG, NOT_NEGATIVE
from optim_scratch.parameter import Array, Parameter

from .optimizer import Optimizer
from .wrapper import Wrapper


class SAM(Wrapper):
    r"""Sharpness-aware minimisation, around any optimizer.

    .. math::

       \epsilon_t &= \rho\,\frac{g_t}{\|g_t\|}, \qquad g_t = \nabla \mathcal{L}(\theta_{t-1}) \\
       \theta_t &= \text{the wrapped optimizer's step from } \theta_{t-1}
           \text{ with the gradient } \nabla \mathcal{L}(\theta_{t-1} + \epsilon_t)

    The norm is over all parameters together. Adaptive, the neighbourhood is measured in units of
    each entry: :math:`\epsilon_t = \rho\,\theta^2 g_t / \|\theta g_t\|`.

    Parameters
    ----------
    optimizer : Optimizer
        What is wrapped. Its hyper-parameters must be numbers, not arrays.
    rho : float, >= 0
        :math:`\rho`, how far the neighbour is, in units of the parameter; adaptive, without unit.
    adaptive : bool
        Measure the neighbourhood in units of each entry.

    Notes
    -----
    Source: Foret et al. (2021), equation 2 and Algorithm 1; Kwon et al. (2021) for the adaptive
    form, here with their :math:`\eta = 0`. A step costs two gradients. With mini-batches both are
    of the same batch. Where a group maximises, the neighbour is down the hill.

    Examples
    --------
    >>> from optim_scratch.optimizers import SGD
    >>> w = Parameter([1.0])
    >>> sam = SAM(SGD([w], lr=0.1), rho=0.5)
    >>> def closure():
    ...     w.grad = 2 * w.data
    ...     return float(w.data[0] ** 2)
    >>> sam.step(closure), w.data.round(3).tolist()
    (1.0, [0.7])
    """

    limits: ClassVar[dict[str, Any]] = {"rho": NOT_NEGATIVE, "adaptive": FLAG}
    elementwise = False
    needs_closure = True

    def __init__(self, optimizer: Optimizer, rho: float = 0.05, adaptive: bool = False) -> None:
        super().__init__(optimizer, rho=rho, adaptive=adaptive)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Look at the gradient here, then at the neighbour; step from here with the second.

        Parameters
        ----------
        closure : callable
            Computes the gradients and returns the loss; called twice.

        Returns
        -------
        The closure's first loss.

        Raises
        ------
        TypeError
            If there is no closure, or it returns nothing: nothing has moved then.
        """
        if closure is None:
            raise TypeError("closure must be callable, as SAM looks twice, got None")
        loss = self._evaluated(closure)
        if loss is None:
            raise TypeError("closure must return the loss, got None")
        moved = [p for p in self._parameters() if p.grad is not None]
        here = [p.data.copy() for p in moved]
        try:
            with np.errstate(all="ignore"):  # infinities and NaN flow
                self._climb(moved)
            closure()
        finally:
            for p, data in zip(moved, here, strict=True):
                p.data[...] = data
        self.optimizer.step()
        return loss

    def _climb(self, moved: list[Parameter]) -> None:
        """Go to the neighbour."""
        rho, adaptive = self.own["rho"], self.own["adaptive"]
        down = {p for group in self.param_groups if group.get("maximize") for p in group["params"]}
        # ε = ρ w² g / ‖w g‖, where w is |θ| if adaptive, else 1
        gradients: list[Any] = [p.grad for p in moved]
        scaled: list[Array] = [
            np.abs(p.data) * g if adaptive else g for p, g in zip(moved, gradients, strict=True)
        ]
        # a float64, whatever the parameters are: squares, and ρ over them, may not fit a float16
        norm = np.sqrt(sum(np.sum(np.square(g, dtype=np.float64)) for g in scaled))
        for p, g in zip(moved, scaled, strict=True):
            way = -rho if p in down else rho
            p.data += way / (norm + 1e-12) * (np.abs(p.data) * g if adaptive else g)
