"""What there is to know of an optimizer at a glance, for the top of its page."""

from __future__ import annotations

import inspect

from . import ladder, registry
from .checks import plain


class Card:
    """An optimizer at a glance; a notebook shows it as a table.

    All of it stands in the registry, in the class's signature, or in the ladder's file.

    Parameters
    ----------
    name : str
        Of an optimizer of the registry.

    Attributes
    ----------
    method : Method
        The registry's entry.

    Raises
    ------
    ValueError
        If there is no optimizer of that name; the message names the nearest.

    Examples
    --------
    >>> Card("Adam").rows()["memory"]
    '2, or 3 with AMSGrad (numbers for each weight)'
    """

    def __init__(self, name: str) -> None:
        self.method = registry.find(name)
        if self.method.kind != "optimizer":
            raise ValueError(f"name must be of an optimizer, got {name!r}: a {self.method.kind}")

    def rows(self) -> dict[str, str]:
        """Return what the card says, in Markdown, by what it says it of."""
        method = self.method
        said = {
            "update": f"${method.update}$" if method.update else "",
            "when": method.when,
            "defaults": ", ".join(f"`{each}`" for each in self._defaults()),
            "memory": f"{method.memory} (numbers for each weight)",
            "work": "; ".join([method.work, *self._time()]),
            "in PyTorch": f"`{method.torch}`" if method.torch else "not in `torch.optim`",
            "source": method.source,
        }
        return {what: text for what, text in said.items() if text}

    def _defaults(self) -> list[str]:
        """Return the hyper-parameters with their defaults, flags that are off left out."""
        parameters = list(inspect.signature(self.method.load()).parameters.values())[1:]
        return [
            p.name if p.default is p.empty else f"{p.name}={plain(p.default)}"
            for p in parameters
            if p.default is not False and p.default is not None
        ]

    def _time(self) -> list[str]:
        """Return how long the digits take with it, if the ladder has it with its defaults."""
        times = {each.name: each.time for each in ladder.rows() if each.name != "SGD"}
        if self.method.name not in times:
            return []
        return [f"on the digits {times[self.method.name]:.1f} times SGD's time"]

    def _repr_markdown_(self) -> str:
        rows = [f"| {what} | {text} |" for what, text in self.rows().items()]
        return "\n".join(
            [f"| **{self.method.name}** | {self.method.summary} |", "|:--|:--|", *rows]
        )

    def __repr__(self) -> str:
        rows = [f"{what}: {text}" for what, text in self.rows().items()]
        return "\n".join([f"{self.method.name}: {self.method.summary}", *rows])
