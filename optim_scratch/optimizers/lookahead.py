"""Lookahead: k steps forward, one step back."""

from __future__ import annotations

from typing import Any, ClassVar

from optim_scratch.checks import FRACTION, Integer
from optim_scratch.parameter import Array, Parameter

from .optimizer import Optimizer, State
from .tiles import Hyper
from .wrapper import Wrapper


class Lookahead(Wrapper):
    r"""Lookahead, around any optimizer.

    .. math::

       \phi \leftarrow \phi + \alpha\,(\theta - \phi), \qquad \theta \leftarrow \phi

    after every :math:`k`-th step of the wrapped optimizer, which moves the fast weights
    :math:`\theta`. The slow weights :math:`\phi` begin where they do.

    Parameters
    ----------
    optimizer : Optimizer
        What is wrapped.
    k : int, >= 1
        :math:`k`, steps forward.
    alpha : float in [0, 1]
        :math:`\alpha`, how much of the way is kept.

    Notes
    -----
    Source: Zhang, Lucas, Hinton & Ba (2019), Algorithm 1; what the wrapped optimizer remembers
    stays as it is, the first of their options. `point` returns the slow weights.

    Examples
    --------
    >>> from optim_scratch.optimizers import SGD
    >>> w = Parameter([0.0])
    >>> lookahead = Lookahead(SGD([w], lr=1.0), k=2, alpha=0.5)
    >>> for _ in range(2):
    ...     w.grad = [-1.0]
    ...     lookahead.step()
    >>> w.data.tolist()
    [1.0]
    """

    limits: ClassVar[dict[str, Any]] = {"k": Integer(1), "alpha": FRACTION}

    def __init__(self, optimizer: Optimizer, k: int = 5, alpha: float = 0.5) -> None:
        super().__init__(optimizer, k=k, alpha=alpha)

    def _begin(self, p: Parameter, h: Hyper) -> State:
        return {"slow_params": p.data.copy()}

    def _begin_shared(self) -> State:
        return {"step": 0}

    def _after_step(self) -> None:
        self.shared["step"] += 1
        if self.shared["step"] % self.own["k"] == 0:
            for p in self._parameters():
                slow = self.state[p]["slow_params"]
                # φ ← φ + α (θ − φ), and θ ← φ
                slow += self.own["alpha"] * (p.data - slow)
                p.data[...] = slow

    def point(self, p: Parameter) -> Array:
        """Return the slow weights.

        Parameters
        ----------
        p : Parameter
            One of the optimizer's.

        Returns
        -------
        ndarray of its shape
        """
        slow: Array = self.state[p]["slow_params"] if p in self.state else p.data
        return slow
