"""NoamLR: the schedule of the first transformer."""

from __future__ import annotations

from typing import ClassVar

from optim_scratch.checks import Integer

from .group_access import HasGroups
from .kinds import Limits
from .scheduler import Overwriting


class NoamLR(Overwriting):
    r"""Raise the rate in a straight line, then let it fall as the inverse square root of time.

    .. math:: \eta_t = \eta_0\,d^{-1/2} \min\left(k^{-1/2},\; k\,W^{-3/2}\right), \qquad k = t + 1

    The peak is :math:`\eta_0 / \sqrt{d W}`, at the update :math:`k = W`.

    Parameters
    ----------
    optimizer : object with `param_groups`
        Ours or torch's. Its base rate is a mere factor here, in the paper 1.
    model_size : int, >= 1
        :math:`d`, the width of the model.
    warmup_steps : int, >= 1
        :math:`W`, in updates.
    last_epoch : int, >= -1
        The last step that is done, to resume by hand.

    Notes
    -----
    Source: Vaswani et al. (2017), section 5.3, equation 3, where updates count from 1: counted
    from 0 the formula divides by 0. The name is that of an author of the paper.

    Examples
    --------
    >>> NoamLR.curve(4, model_size=4, warmup_steps=2).round(4).tolist()
    [0.1768, 0.3536, 0.2887, 0.25]
    """

    limits: ClassVar[Limits] = {"model_size": Integer(1), "warmup_steps": Integer(1)}
    model_size: int
    warmup_steps: int

    def __init__(
        self, optimizer: HasGroups, model_size: int, warmup_steps: int, last_epoch: int = -1
    ) -> None:
        self._take(model_size=model_size, warmup_steps=warmup_steps)
        super().__init__(optimizer, last_epoch)

    def multiple(self, t: int) -> float:
        """Return the smaller of the rising line and the falling root."""
        k, d, W = t + 1, self.model_size, self.warmup_steps
        return float(d**-0.5 * min(k**-0.5, k * W**-1.5))
