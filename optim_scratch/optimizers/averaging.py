"""What the averages of weights share: they watch, and do not disturb."""

from __future__ import annotations

from optim_scratch.parameter import Array, Parameter

from .optimizer import State
from .tiles import Hyper
from .wrapper import Wrapper


class Averaging(Wrapper):
    """The base of wrappers that average the points of the wrapped optimizer, which moves as ever.

    A subclass defines `_share`: how much of an average the next point makes up; 1 to begin.
    """

    def _begin(self, p: Parameter, h: Hyper) -> State:
        return {"average": p.data.copy(), "n_averaged": 0}

    def _begin_shared(self) -> State:
        return {"step": 0}

    def _share(self, n: int) -> float:
        """Return the next point's share of an average of n."""
        raise NotImplementedError("an average defines _share(n)")

    def _takes_in(self) -> bool:
        """Whether the points after this step are taken in."""
        return True

    def _after_step(self) -> None:
        self.shared["step"] += 1
        for p in self._parameters() if self._takes_in() else ():
            state = self.state[p]
            share, average = self._share(state["n_averaged"]), state["average"]
            # a ← (1 − s) a + s θ
            average *= 1 - share
            average += share * p.data
            state["n_averaged"] += 1

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
        state = self.state.get(p, {"n_averaged": 0})
        average: Array = state["average"] if state["n_averaged"] else p.data
        return average
