"""What the averages of weights share: they watch, and do not disturb."""

from __future__ import annotations

from optim_scratch.parameter import Array, Parameter

from .optimizer import State
from .tiles import Hyper
from .wrapper import Wrapper


class Averaging(Wrapper):
    """The base of wrappers that average the points of the wrapped optimizer, which moves as ever.

    A subclass defines `_share`: how much of the average the present point makes up; 1 to begin.
    """

    def _begin(self, p: Parameter, h: Hyper) -> State:
        return {"average": p.data.copy()}

    def _begin_shared(self) -> State:
        return {"step": 0, "n_averaged": 0}

    def _share(self) -> float:
        """Return the present point's share of the average, 0 to leave it out."""
        raise NotImplementedError("an average defines _share()")

    def _after_step(self) -> None:
        self.shared["step"] += 1
        share = self._share()
        if share:
            self.shared["n_averaged"] += 1
            for p in self._parameters():
                average = self.state[p]["average"]
                # a ← (1 − s) a + s θ
                average *= 1 - share
                average += share * p.data

    def point(self, p: Parameter) -> Array:
        """Return the average; before it begins, the parameter.

        Parameters
        ----------
        p : Parameter
            One of the optimizer's.

        Returns
        -------
        ndarray of its shape
        """
        average: Array = self.state[p]["average"] if self.shared["n_averaged"] else p.data
        return average
