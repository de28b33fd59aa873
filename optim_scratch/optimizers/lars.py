"""LARS: SGD whose steps are, in each layer, a share of the weights' length."""

from __future__ import annotations

from typing import Any, ClassVar

from optim_scratch.checks import FLAG, NOT_NEGATIVE, POSITIVE, SHARE
from optim_scratch.parameter import Array, Parameter

from .layers import SCALED, is_scaled, length, quotient
from .optimizer import Optimizer, Parameters, State, grown, nonzero
from .tiles import Hyper, tiles


class LARS(Optimizer):
    r"""LARS, layer-wise adaptive rate scaling.

    .. math::

       r_t &= c\,\frac{\|\theta_{t-1}\|}{\|g_t\| + \lambda\,\|\theta_{t-1}\|} \\
       b_t &= \mu\,b_{t-1} + \eta\,r_t\,(g_t + \lambda\,\theta_{t-1}) \\
       \theta_t &= \theta_{t-1} - b_t

    with a ratio :math:`r` for each parameter, which is taken for a layer, and :math:`b_0 = 0`.
    Without momentum and decay a step is :math:`\eta c` times as long as the parameter, whatever the
    size of its gradient. Where the parameter is 0, or gradient and decay are, :math:`r = 1`.

    Parameters
    ----------
    params : iterable of Parameter, or of groups
        What to move, weights and biases of each layer by themselves: the lengths are those of whole
        arrays.
    lr : float, >= 0
        Learning rate :math:`\eta`, without unit; of the parameters that have no ratio, in units of
        parameter per gradient, as SGD's.
    momentum : float in [0, 1)
        :math:`\mu`, the share of the last step that the next one goes on with.
    weight_decay : float, >= 0
        :math:`\lambda`, the strength of an L2 penalty, in units of gradient per parameter; in the
        ratio too.
    trust_coefficient : float, > 0
        :math:`c`, the length of a step at rate 1 as a share of the parameter's.
    scaled : {"matrices", "all", "none"}
        Which parameters have a ratio: those of two axes and more, or each, or none. The others,
        biases and the gains of normalisation mostly, take SGD's step :math:`b_t = \mu\,b_{t-1} +
        \eta\,g_t`, without decay. A group may have its own: ``{"params": gains, "scaled":
        "none"}``.
    maximize : bool
        Go up the gradient instead of down.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its type or outside its range.

    Notes
    -----
    Source: You, Gitman & Ginsburg (2017), Algorithm 1, where the rate is :math:`\gamma`, the ratio
    :math:`\lambda`, the coefficient :math:`\eta` and the decay :math:`\beta`. The rate is inside
    the buffer, so that what is under way keeps the rate it began with; in torch's SGD it is
    outside. The paper speaks of layers and spares none: its form is ``scaled="all"``. That biases,
    which begin at 0, are spared is practice.

    pytorch-optimizer's LARS has the rate outside, and so another path where a schedule changes it;
    it spares parameters of one axis always; its default rate of 0.001 makes steps of a millionth of
    the weights, where the paper has rates above 1; and it has dampening and a Nesterov step, of
    which the paper knows nothing.

    Examples
    --------
    >>> w = Parameter([[3.0, 0.0], [0.0, 4.0]])  # of length 5
    >>> lars = LARS([w], lr=1.0, trust_coefficient=0.1)
    >>> w.grad = [[0.0, 200.0], [0.0, 0.0]]
    >>> lars.step()
    >>> w.data.tolist()
    [[3.0, -0.5], [0.0, 4.0]]
    """

    limits: ClassVar[dict[str, Any]] = {
        "lr": NOT_NEGATIVE,
        "momentum": SHARE,
        "weight_decay": NOT_NEGATIVE,
        "trust_coefficient": POSITIVE,
        "scaled": SCALED,
        "maximize": FLAG,
    }
    elementwise = False

    def __init__(
        self,
        params: Parameters,
        lr: float = 0.1,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        trust_coefficient: float = 1e-3,
        scaled: str = "matrices",
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "weight_decay": weight_decay,
            "trust_coefficient": trust_coefficient,
            "scaled": scaled,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _begin(self, p: Parameter, h: Hyper) -> State:
        return {"momentum_buffer": None}

    def _update(self, theta: Array, g: Array, state: State, h: Hyper) -> None:
        eta, mu, r, lam = h["lr"], h["momentum"], 1.0, 0.0
        if is_scaled(theta, h["scaled"]):
            lam, size = h["weight_decay"], length(theta)
            # r = c ‖θ‖ / (‖g‖ + λ ‖θ‖)
            r = quotient(h["trust_coefficient"] * size, length(g) + lam * size)
        b = grown(state, "momentum_buffer", theta) if nonzero(mu) else None
        for _, theta, g, b in tiles(h, theta, g, b):
            # the step is η r (g + λ θ)
            step = eta * r * (g + lam * theta if lam else g)
            # b ← μ b + η r (g + λ θ), in place of it
            if b is not None:
                b *= mu
                b += step
                step = b
            # θ ← θ − b
            theta -= step
