"""LambdaLR: the base rate times any function of the epoch."""

from __future__ import annotations

from typing import Any

from .lambdas import WithLambdas


class LambdaLR(WithLambdas):
    r"""Set the rate to the base rate times a function of the epoch.

    .. math:: \eta_t = \eta_0\,\lambda(t)

    It overwrites the present rate: an edit by hand lasts until the next `step`.

    Parameters
    ----------
    optimizer, last_epoch
        As of every `LRScheduler`.
    lr_lambda : callable, or sequence of callables
        :math:`\lambda`, from the epoch (int, from 0) to a factor; one for all groups, or one for
        each. A function is not saved in `state_dict`; a callable object's attributes are.

    Raises
    ------
    TypeError
        If `lr_lambda` is not callable.
    ValueError
        If there are not as many callables as groups.

    Notes
    -----
    Source: `torch.optim.lr_scheduler.LambdaLR`, whose rates these are.

    Examples
    --------
    >>> LambdaLR.curve(3, lr=0.1, lr_lambda=lambda epoch: 1 / (1 + epoch)).round(4).tolist()
    [0.1, 0.05, 0.0333]
    """

    def get_lr(self) -> list[Any]:
        """Return each base rate times its function of the epoch."""
        self._check_one_each("base_lrs", "lr_lambdas")
        return self._times_factors(self.base_lrs)
