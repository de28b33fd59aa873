"""MultiplicativeLR: the present rate times any function of the epoch."""

from __future__ import annotations

from typing import Any

from .lambdas import WithLambdas


class MultiplicativeLR(WithLambdas):
    r"""Multiply the present rate by a function of the epoch.

    .. math:: \eta_t = \eta_{t-1}\,\lambda(t) = \eta_0 \prod_{s=1}^{t} \lambda(s)

    It rescales: an edit by hand lasts. The function is not asked for epoch 0.

    Parameters
    ----------
    optimizer, last_epoch
        As of every `LRScheduler`.
    lr_lambda : callable, or sequence of callables
        :math:`\lambda`, from the epoch (int, from 1) to a factor; one for all groups, or one for
        each. A function is not saved in `state_dict`; a callable object's attributes are.

    Raises
    ------
    TypeError
        If `lr_lambda` is not callable.
    ValueError
        If there are not as many callables as groups.

    Notes
    -----
    Source: `torch.optim.lr_scheduler.MultiplicativeLR`, whose rates these are. At a milestone of
    `SequentialLR` it begins from the present rate, times :math:`\lambda(0)`, and not from the base
    rate as others of the rescaling kind do: torch has no closed form of it.

    Examples
    --------
    >>> MultiplicativeLR.curve(4, lr_lambda=lambda epoch: 1 / epoch).round(4).tolist()
    [1.0, 1.0, 0.5, 0.1667]
    """

    def get_lr(self) -> list[Any]:
        """Return each present rate times its function of the epoch."""
        if self._is_initial:
            return self._rates()
        self._check_one_each("lr_lambdas")
        return self._times_factors(self._rates())
