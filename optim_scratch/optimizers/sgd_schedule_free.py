"""Schedule-free SGD: no schedule, no end of training to know beforehand."""

from __future__ import annotations

from typing import Any, ClassVar

from optim_scratch.checks import ANY, NOT_NEGATIVE, Integer, Number
from optim_scratch.parameter import Parameter, Real

from .optimizer import Group, Parameters, State, nonzero
from .schedule_free import ScheduleFree
from .tiles import Hyper, tiles


class SGDScheduleFree(ScheduleFree):
    r"""Schedule-free SGD: a step of SGD, and the average of its points, in one.

    .. math::

       z_{t+1} &= z_t - \gamma_t\,\bigl(\nabla \mathcal{L}(y_t) + \lambda\,y_t\bigr) \\
       x_{t+1} &= (1 - c_{t+1})\,x_t + c_{t+1}\,z_{t+1} \\
       y_{t+1} &= (1 - \beta)\,z_{t+1} + \beta\,x_{t+1}

    with :math:`x_0 = y_0 = z_0 = \theta_0`. What :math:`\gamma` and :math:`c` are, the base says:
    `ScheduleFree`.

    Parameters
    ----------
    params : iterable of Parameter, or of groups
        What to move. A parameter holds :math:`y`; the loss is to be evaluated at ``point(p)``.
    lr : float or array, >= 0
        Learning rate :math:`\eta`, in units of parameter per gradient.
    momentum : float or array in (0, 1)
        :math:`\beta`, how near to the average gradients are taken. There is no buffer.
    weight_decay : float or array, >= 0
        :math:`\lambda`, the strength of an L2 penalty, taken at :math:`y`.
    warmup_steps : int, >= 0
        :math:`W`, over how many steps the rate rises.
    r : float or array
        The power of time in the weights of the average; 0 weighs all points alike.
    weight_lr_power : float or array
        :math:`p`, the power of the greatest rate so far in them.

    Notes
    -----
    Source: Defazio et al. (2024); names and defaults are those of the package ``schedulefree`` 1.4.

    Examples
    --------
    >>> w = Parameter([1.0])
    >>> free = SGDScheduleFree([w], lr=0.5, momentum=0.9)
    >>> for _ in range(2):
    ...     w.grad = w.data
    ...     free.step()
    >>> w.data.round(4).tolist(), free.point(w).round(4).tolist()
    ([0.3625], [0.375])
    """

    limits: ClassVar[dict[str, Any]] = {
        "lr": NOT_NEGATIVE,
        "momentum": Number(low=0, high=1, above=True, below=True),
        "weight_decay": NOT_NEGATIVE,
        "warmup_steps": Integer(0),
        "r": ANY,
        "weight_lr_power": ANY,
    }

    def __init__(
        self,
        params: Parameters,
        lr: Real = 1.0,
        momentum: Real = 0.9,
        weight_decay: Real = 0,
        warmup_steps: int = 0,
        r: Real = 0.0,
        weight_lr_power: Real = 2,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "weight_decay": weight_decay,
            "warmup_steps": warmup_steps,
            "r": r,
            "weight_lr_power": weight_lr_power,
        }
        super().__init__(params, defaults)

    def _begin(self, p: Parameter, h: Hyper) -> State:
        return {"z": p.data.copy()}

    def _step_group(self, group: Group) -> None:
        gamma, c = self._rate_and_share(group, self._hyper(group))
        for p, g, state, h in self._moving(group):
            for h, y, g, z, gamma_, c_ in tiles(h, p.data, g, state["z"], gamma, c):
                beta, lam = self._beta(h), h["weight_decay"]
                # x = (y − (1 − β) z) / β
                x = (y - (1 - beta) * z) / beta
                # z ← z − γ (g + λ y)
                z -= gamma_ * (g + lam * y if nonzero(lam) else g)
                # x ← (1 − c) x + c z
                x += c_ * (z - x)
                # y ← (1 − β) z + β x
                y[...] = (1 - beta) * z + beta * x
