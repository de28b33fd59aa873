"""Lookahead: k steps forward, one step back."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from optim_scratch.checks import FRACTION, Choice, Integer
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
    pullback_momentum : {"none", "reset", "pullback"}
        What becomes of the wrapped optimizer's momentum when the weights go back: it stays as it
        is, or is set to 0, or goes back like the weights, :math:`\bar b \leftarrow \bar b +
        \alpha\,(b - \bar b)` and :math:`b \leftarrow \bar b` with :math:`\bar b = 0` at first.

    Raises
    ------
    TypeError, ValueError
        If `optimizer` is none of ours, an argument is not of its type or outside its range, or
        momentum is to change and the optimizer has no ``momentum_buffer``: SGD has, Adam has not.

    Notes
    -----
    Source: Zhang, Lucas, Hinton & Ba (2019), Algorithm 1; what may become of the momentum, as in
    their code. `point` returns the slow weights.

    pytorch-optimizer's Lookahead lets slow weights stand still whose parameter has no gradient just
    then, and takes an optimizer without ``momentum_buffer``, for which it makes one that nothing
    reads.

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

    limits: ClassVar[dict[str, Any]] = {
        "k": Integer(1),
        "alpha": FRACTION,
        "pullback_momentum": Choice(("none", "reset", "pullback")),
    }

    def __init__(
        self,
        optimizer: Optimizer,
        k: int = 5,
        alpha: float = 0.5,
        pullback_momentum: str = "none",
    ) -> None:
        super().__init__(optimizer, k=k, alpha=alpha, pullback_momentum=pullback_momentum)

    def _checked_own(self, own: dict[str, Any]) -> dict[str, Any]:
        checked, inner = super()._checked_own(own), self._innermost()
        group = inner.param_groups[0]
        if checked["pullback_momentum"] != "none" and "momentum_buffer" not in inner._begin(
            group["params"][0], inner._hyper(group)
        ):
            raise ValueError(
                f"pullback_momentum must be 'none' around {type(inner).__name__}, which has no "
                f"momentum_buffer, got {checked['pullback_momentum']!r}"
            )
        return checked

    def _innermost(self) -> Optimizer:
        """Return the optimizer that wraps no other."""
        inner = self.optimizer
        while isinstance(inner, Wrapper):
            inner = inner.optimizer
        return inner

    def _begin(self, p: Parameter, h: Hyper) -> State:
        slow = {"slow_params": p.data.copy()}
        if h["pullback_momentum"] == "pullback":
            slow["slow_momentum"] = np.zeros_like(p.data)
        return slow

    def _begin_shared(self) -> State:
        return {"step": 0}

    def _after_step(self) -> None:
        self.shared["step"] += 1
        if self.shared["step"] % self.own["k"] == 0:
            for p in self._parameters():
                # φ ← φ + α (θ − φ), and θ ← φ
                self._pull_back(p.data, self.state[p]["slow_params"])
                b = self._innermost().state.get(p, {}).get("momentum_buffer")
                if b is not None and self.own["pullback_momentum"] == "reset":
                    b[...] = 0
                elif b is not None and self.own["pullback_momentum"] == "pullback":
                    self._pull_back(b, self.state[p]["slow_momentum"])

    def _pull_back(self, fast: Array, slow: Array) -> None:
        """Take the slow to α of the way to the fast, and the fast to the slow."""
        slow += self.own["alpha"] * (fast - slow)
        fast[...] = slow

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
