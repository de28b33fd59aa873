"""The optimizers' family tree: who descends from whom, and which flaw led from one to the next.

Everything is the registry's: the tree, where it stands in a picture, and the table to go with it.
"""

from __future__ import annotations

import base64
import inspect
import re
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from . import ladder, registry
from .problems import Digits
from .registry import FAMILIES, Method, Setting

Member = Method | Setting

WIDE, NARROW = 720, 340
"""For how many pixels the site lays the tree out, on a screen and on a telephone."""

ASIDE = 600
"""From this width on a flaw stands beside its name, below it under the name."""

SIZE = 13
"""How high the letters of a flaw are."""

LETTER = 0.57 * SIZE
"""How wide such a letter is taken to be."""


@dataclass(frozen=True)
class Spot:
    """Where a member of the tree stands.

    Parameters
    ----------
    member : Method or Setting
        Who stands there.
    depth : int
        How many ancestors it has.
    x, y : float
        The centre of its circle.
    heading : str
        What its family goes by, where the one above is of another; else empty.
    lines : tuple of str
        The flaw that it mends, or what a root does, broken into lines.
    aside : float
        Where the lines begin, from the left.
    height : float
        Of its row, without the heading.
    """

    member: Member
    depth: int
    x: float
    y: float
    heading: str
    lines: tuple[str, ...]
    aside: float
    height: float


@dataclass(frozen=True)
class Layout:
    """A tree in a picture.

    Parameters
    ----------
    width, height : float
        Of the picture.
    radius, indent : float
        Of a circle; from a circle to its child's.
    spots : tuple of Spot
        From top to bottom.
    """

    width: float
    height: float
    radius: float
    indent: float
    spots: tuple[Spot, ...]

    @property
    def bend(self) -> float:
        """The radius of an arrow's corner."""
        return self.indent / 3

    def links(self) -> list[tuple[Spot, Spot, float]]:
        """Return who is joined to whom, parents first, and at what height the arrow begins.

        That is below the parent, or where the one to an elder sibling turns off.
        """
        at = {spot.member.name: spot for spot in self.spots}
        begins = {name: spot.y + self.radius for name, spot in at.items()}
        found = []
        for spot in self.spots:
            if parent := spot.member.parent:
                found.append((at[parent], spot, begins[parent]))
                begins[parent] = spot.y - self.bend
        return found

    def way(self, parent: Spot, child: Spot, top: float) -> str:
        """Return the path of an arrow, in SVG's words: down, round a corner, and to the right."""
        bend, end = self.bend, child.x - self.radius - 2
        return (
            f"M{parent.x:g} {top:g}V{child.y - bend:g}"
            f"Q{parent.x:g} {child.y:g} {parent.x + bend:g} {child.y:g}H{end:g}"
        )


class Tree:
    """The family tree.

    Parameters
    ----------
    members : iterable of Method or Setting, optional
        Who is in it; else every optimizer of the registry, and the settings that are methods.

    Raises
    ------
    ValueError
        If a parent is not in it, or if somebody is their own ancestor.

    Examples
    --------
    >>> tree = Tree()
    >>> [member.name for member in tree.roots()]
    ['SGD', 'LBFGS']
    >>> " < ".join(member.name for member in tree.line("NAdam"))
    'SGD < Adagrad < RMSprop < Adam < NAdam'
    """

    def __init__(self, members: Iterable[Member] | None = None) -> None:
        every: tuple[Member, ...] = (*registry.methods("optimizer"), *registry.SETTINGS)
        self._by_name = {member.name: member for member in (every if members is None else members)}
        for member in self._by_name.values():
            self.line(member.name)

    def roots(self) -> list[Member]:
        """Return the members without a parent."""
        return self.children("")

    def children(self, name: str) -> list[Member]:
        """Return a member's children: family by family, in each from old to young."""
        families = list(FAMILIES)
        return sorted(
            (member for member in self._by_name.values() if member.parent == name),
            key=lambda member: (families.index(member.family), member.year),
        )

    def line(self, name: str) -> list[Member]:
        """Return the line from a root to a member, both included."""
        found: list[Member] = []
        while name:
            if name not in self._by_name:
                raise ValueError(f"{found[0].name} has the parent {name!r}, who is not in the tree")
            if self._by_name[name] in found:
                raise ValueError(f"{name} must not be an ancestor of its own")
            found.insert(0, self._by_name[name])
            name = found[0].parent
        return found

    def members(self) -> list[Member]:
        """Return everybody, each followed by its descendants."""

        def below(member: Member) -> list[Member]:
            return [member, *(m for child in self.children(member.name) for m in below(child))]

        return [member for root in self.roots() for member in below(root)]

    def story(self, name: str) -> str:
        """Return how a line came about: a line of text for each arrow, with the year of its end.

        Examples
        --------
        >>> print(Tree().story("RMSprop"))
        1951  SGD
        2011  Adagrad   SGD has one rate for rare and common features
        2012  RMSprop   Adagrad never forgets, so its steps only get shorter (+ Rprop)
        """
        line = self.line(name)
        longest = max(len(member.name) for member in line)
        words = [f"{m.year}  {m.name:{longest}}   {flaw(m)}".rstrip() for m in line]
        return "\n".join(words).replace("\N{NO-BREAK SPACE}", " ")

    def layout(self, width: float = WIDE) -> Layout:
        """Return where everybody stands, in a picture of a width in pixels."""
        beside = width >= ASIDE
        indent, radius, y = (24, 5.5, 6.0) if beside else (15, 4.5, 4.0)
        spots: list[Spot] = []
        family = ""
        for member in self.members():
            depth = len(self.line(member.name)) - 1
            x = 10 + depth * indent
            aside = 0.355 * width if beside else x + 2.6 * radius
            room = width - aside - (42 if beside else 0)
            words = flaw(member) or member.summary
            lines = tuple(textwrap.wrap(words, int(room / LETTER), break_on_hyphens=False))
            heading = FAMILIES[member.family] if member.family != family else ""
            family = member.family
            y += 27 if heading else 0
            height = 12 + 18 * len(lines) if beside else 28 + 17 * len(lines)
            spots.append(Spot(member, depth, x, y + 15, heading, lines, aside, height))
            y += height
        return Layout(width, y + 6, radius, indent, tuple(spots))

    def table(self) -> Table:
        """Return what there is to know of everybody at a glance."""
        return Table(self.members())

    def __repr__(self) -> str:
        settings = sum(isinstance(member, Setting) for member in self._by_name.values())
        depth = max(len(self.line(name)) for name in self._by_name)
        return (
            f"Family tree: {len(self._by_name) - settings} optimizers and {settings} settings, "
            f"{len(self.roots())} roots, at most {depth} generations"
        )

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """Return the picture, and what it comes to in words."""
        from . import plot

        png = base64.b64encode(plot.as_png(plot.family_tree(self))).decode()
        return {"image/png": png, "text/plain": repr(self)}


def flaw(member: Member) -> str:
    r"""Return the flaw that a member mends, as a sentence about its parent; empty for a root.

    Examples
    --------
    >>> flaw(registry.find("NAdam"))
    'Adam has momentum, but does not look ahead (+\xa0Nesterov)'
    """
    second = f" (+\N{NO-BREAK SPACE}{member.also})" if member.also else ""
    return f"{member.parent} {member.mends}{second}" if member.parent else ""


class Table:
    """Members of the tree, with what each costs and where it is from; notebooks show it as a table.

    Parameters
    ----------
    members : sequence of Method or Setting
        The rows.
    """

    def __init__(self, members: Iterable[Member]) -> None:
        self.members = list(members)

    def rows(self) -> list[dict[str, str]]:
        """Return what the table says of each, in Markdown, by the heads of its columns."""
        return [
            {
                "method": _linked(member),
                "year": str(member.year),
                "memory": member.memory,
                "work": _work(member),
                "hyper-parameters": ", ".join(_hyper(member)),
                "source": member.source,
            }
            for member in self.members
        ]

    def _repr_markdown_(self) -> str:
        rows = self.rows()
        lines = [list(rows[0]), [":--"] * len(rows[0]), *(list(row.values()) for row in rows)]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)

    def __repr__(self) -> str:
        return "\n".join(f"{m.name}: {m.memory}; {m.source}" for m in self.members)


def _linked(member: Member) -> str:
    """Return a member's name, linked to its page as seen from one of the book's folders."""
    return f"[{member.name}](../{member.chapter}.ipynb)" if member.chapter else member.name


def _work(member: Member) -> str:
    """Return the gradients of a step, and its time in SGD's steps, if the ladder has the method.

    The ladder times a run. One on all pictures takes fewer steps, each on as many batches at once.
    """
    if isinstance(member, Setting):
        return f"as {member.kind}"
    rows = {each.name: each for each in ladder.rows() if each.name != "SGD"}
    said = re.sub(r" gradients?( or more)? a step", r"\1", member.work)
    if member.name not in rows:
        return said
    batch_size = next(e.batch_size for e in ladder.ENTRIES if e.name == member.name)
    if batch_size is None:
        pictures = Digits(seed=0).part("train")[0]
        time = rows[member.name].time * len(pictures) / ladder.PROTOCOL["batch_size"]
        return f"{said}; {time:.0f}×, on all pictures"
    return f"{said}; {rows[member.name].time:.1f}×"


def _hyper(member: Member) -> list[str]:
    """Return the arguments that are for tuning: a class's without its flags; or a setting's own."""
    if isinstance(member, Setting):
        return list(member.hyper)
    made: Callable[..., Any] = member.load()
    parameters = list(inspect.signature(made).parameters.values())[1:]
    return [p.name for p in parameters if not isinstance(p.default, bool)]
