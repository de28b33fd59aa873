"""Our optimizers on torch's parameters: the code of a chapter trains the real network."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from optim_scratch.checks import FLAG, as_list, type_name
from optim_scratch.optimizers import Optimizer
from optim_scratch.parameter import Array, Parameter

DTYPES = (torch.float16, torch.float32, torch.float64)


class Driver:
    """Run an optimizer of the package on torch parameters on a CPU, in the memory that they have.

    It is used as torch's optimizers are: `zero_grad`, ``loss.backward()``, `step`. Schedulers of
    ours drive it, through its groups.

    Parameters
    ----------
    params : torch parameter, iterable of them, or of groups
        What to move, dense and on a CPU, in any layout, channels last too. A group is a dict with
        the key ``"params"`` and hyper-parameters of its own.
    optimizer : class of Optimizer, or callable
        What makes the optimizer, from groups of our parameters and `hyper`: a class such as `Adam`,
        or ``lambda groups: Lookahead(Adam(groups, lr=1e-3))``.
    flattened : bool
        Show the optimizer a parameter of more than two axes, such as a kernel of a convolution of
        shape (out, in, k, k), as a matrix of shape (out, in·k·k): for Muon, which moves nothing
        else, and for SOAP and Shampoo, which then see the axes of a kernel as one.
    **hyper
        The optimizer's hyper-parameters.

    Attributes
    ----------
    optimizer : Optimizer
        The one that moves.

    Raises
    ------
    TypeError, ValueError
        If `params` are not such parameters, or as the optimizer does.

    Notes
    -----
    A torch tensor on a CPU and a NumPy array can have one memory. Each step looks where torch's
    parameter and its gradient are now, since torch may have put them elsewhere. A matrix that such
    memory cannot be read as, as that of a kernel in channels last, is copied there and back.

    Examples
    --------
    >>> from optim_scratch.optimizers import Adam
    >>> w = torch.nn.Parameter(torch.tensor([1.0, -1.0]))
    >>> driver = Driver([w], Adam, lr=0.1)
    >>> w.square().sum().backward()
    >>> driver.step()
    >>> [round(value, 4) for value in w.tolist()]
    [0.9, -0.9]
    """

    def __init__(
        self,
        params: torch.Tensor | Iterable[Any],
        optimizer: Callable[..., Optimizer],
        *,
        flattened: bool = False,
        **hyper: Any,
    ) -> None:
        self.flattened = FLAG.check("flattened", flattened)
        self._theirs: dict[Parameter, torch.Tensor] = {}
        groups = [
            {**group, "params": [self._shared(p) for p in group["params"]]}
            for group in _groups(params)
        ]
        self.optimizer = optimizer(groups, **hyper)
        if not isinstance(self.optimizer, Optimizer):
            raise TypeError(
                f"optimizer must make one of ours, got {type_name(self.optimizer)}: torch's own "
                "needs no driver"
            )

    def _shared(self, p: Any) -> Parameter:
        """Return a parameter of ours in the memory of torch's."""
        _check_parameter(p)
        ours = Parameter(self._seen(p.detach().numpy()), copy=False)
        self._theirs[ours] = p
        return ours

    def _seen(self, array: Array) -> Array:
        """Return an array as the optimizer sees it; where memory allows it, in the same."""
        if self.flattened and array.ndim > 2:
            return array.reshape(len(array), math.prod(array.shape[1:]))
        return array

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """The optimizer's groups, which schedulers write into; their parameters are ours."""
        return self.optimizer.param_groups

    @property
    def steps_taken(self) -> int:
        """How often it stepped."""
        return self.optimizer.steps_taken

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget torch's gradients.

        Parameters
        ----------
        set_to_none : bool
            Set each to None, so that `step` skips its parameter; else to zeros, where there is one.
        """
        for p in self._theirs.values():
            if p.grad is not None:
                p.grad = None if set_to_none else torch.zeros_like(p.grad)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step with the gradients that torch's parameters have.

        Parameters
        ----------
        closure : callable, optional
            Clears the gradients, computes them and returns the loss; for methods that look more
            than once.

        Returns
        -------
        The closure's loss, or None.

        Raises
        ------
        TypeError, ValueError
            If a gradient is sparse, if a parameter is no longer where or what it may be, as after
            ``model.cuda()`` or ``model.double()``, or as the optimizer does.
        """
        self._look()

        def look() -> Any:
            assert closure is not None
            self._put()
            with torch.enable_grad():
                loss = closure()
            self._look()
            return loss.detach() if isinstance(loss, torch.Tensor) else loss

        try:
            return self.optimizer.step(look if callable(closure) else closure)
        finally:
            self._put()

    def _look(self) -> None:
        """Take the memory and the gradient of each of torch's parameters, as they are now."""
        for ours, p in self._theirs.items():
            _check_parameter(p)
            data = self._seen(p.detach().numpy())
            # the optimizer's memory of a parameter fits the one that it was made for
            if (data.shape, data.dtype) != (ours.shape, ours.dtype):
                raise ValueError(
                    f"params must stay of shape {ours.shape} and {ours.dtype}, "
                    f"got {data.shape} and {data.dtype}"
                )
            if p.grad is not None and p.grad.layout is not torch.strided:
                raise TypeError(f"gradients must be dense, got layout {p.grad.layout}")
            ours.data = data
            ours.grad = None if p.grad is None else self._seen(p.grad.detach().numpy())

    def _put(self) -> None:
        """Write the matrices that are copies back to torch's parameters."""
        for ours, p in self._theirs.items():
            data = p.detach().numpy()
            if not np.may_share_memory(ours.data, data):
                data[...] = ours.data.reshape(data.shape)

    @contextmanager
    def at_point(self) -> Iterator[None]:
        """Put torch's parameters where the loss is to be evaluated, and back afterwards.

        Most methods evaluate where they are. Those that average do it at the average. Buffers,
        such as a BatchNorm's running means, stay as they are.
        """
        self._look()
        away: list[tuple[Parameter, Array]] = []
        for ours in self._theirs:
            point = self.optimizer.point(ours)
            if point is not ours.data:
                away.append((ours, ours.data.copy()))
                ours.data[...] = point
        self._put()
        try:
            yield
        finally:
            for ours, data in away:
                ours.data[...] = data
            self._put()

    def state_dict(self) -> dict[str, Any]:
        """Return the optimizer's `state_dict`.

        `optim_scratch.experiments.bridge.with_tensors` makes one of it that torch saves.
        """
        return self.optimizer.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a saved state, ours or that of torch's optimizer, in arrays or tensors.

        Parameters
        ----------
        state_dict : dict
            As the optimizer's `load_state_dict` takes it.

        Raises
        ------
        TypeError, ValueError
            As that does.
        """
        self.optimizer.load_state_dict(state_dict)


def _groups(params: Any) -> list[dict[str, Any]]:
    """Return torch parameters as a list of groups with lists of them."""
    what = "torch parameters, or an iterable of them or of groups"
    listed = [params] if isinstance(params, torch.Tensor) else as_list("params", params, what)
    if not listed or not isinstance(listed[0], dict):
        listed = [{"params": listed}]
    groups = []
    for group in listed:
        if not isinstance(group, dict) or "params" not in group:
            raise TypeError(f'a parameter group must be a dict with "params", got {group!r}')
        inside = group["params"]
        members = [inside] if isinstance(inside, torch.Tensor) else as_list("params", inside, what)
        groups.append({**group, "params": members})
    return groups


def _check_parameter(p: Any) -> None:
    """Refuse what is no dense floating tensor on a CPU, of a dtype that NumPy has."""
    if not isinstance(p, torch.Tensor):
        raise TypeError(f"params must hold torch parameters, got {type_name(p)}")
    if p.layout is not torch.strided:
        raise TypeError(f"params must be dense, got layout {p.layout}")
    if p.dtype not in DTYPES:
        names = ", ".join(str(dtype).removeprefix("torch.") for dtype in DTYPES)
        raise TypeError(f"params must be of {names}, got {str(p.dtype).removeprefix('torch.')}")
    if p.device.type != "cpu":
        raise ValueError(f"params must be on a CPU, whose memory NumPy shares, got {p.device}")
