"""The directive ``race``: optimizers of the package, run at build time, on one surface as live SVG.

The argument names a surface of `optim_scratch.surfaces`, the options say how many steps to take,
from where, and which window to show. The content is a YAML list of runs: a label, which chooses the
colour unless one is given, `descend`'s arguments, and ``sigma`` for noisy gradients.
"""

from dataclasses import dataclass
from html import escape
from typing import ClassVar

import numpy as np
import yaml
from docutils import nodes
from docutils.parsers.rst import directives
from landscape import View, shade
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from optim_scratch import descent, optimizers, plot, surfaces

SECONDS, FRAMES = 7, 70

SCRIPT = """
<script>
document.querySelectorAll("figure.race").forEach((race) => {
  const play = () => race.querySelectorAll("animate").forEach((a) => a.beginElement());
  const button = race.querySelector("button");
  button.hidden = false;
  button.addEventListener("click", play);
  if (!matchMedia("(prefers-reduced-motion: reduce)").matches) play();
});
</script>
"""


@dataclass(frozen=True)
class Run:
    """One racer: how it is called and drawn, and where it went."""

    label: str
    colour: str
    trajectory: descent.Trajectory


def start_run(surface: surfaces.Surface, steps: int, entry: dict) -> Run:
    """Run one entry of the list on the surface."""
    arguments = dict(entry)
    label = arguments.pop("label")
    colour = arguments.pop("colour", None) or plot.look(label)["color"]
    method = getattr(optimizers, arguments.pop("optimizer"))
    landscape = surfaces.noisy(surface, arguments.pop("sigma", 0.0))
    return Run(label, colour, descent.descend(landscape, method, steps, **arguments))


def draw(run: Run, view: View) -> str:
    """Draw a run's path and its head; time on screen is proportional to steps."""
    at = view.pixels(run.trajectory.points)
    gone = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(at, axis=0).T))])
    frames = np.linspace(0, len(at) - 1, FRAMES).round().astype(int)
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
    end = at[-1]
    return (
        f'<g style="--run: {run.colour}">'
        f'<polyline points="{points}" stroke-dasharray="{gone[-1]:.1f}">'
        f"{animate('stroke-dashoffset', gone[-1] - gone[frames])}</polyline>"
        f'<circle r="6" cx="{end[0]:.1f}" cy="{end[1]:.1f}">'
        f"{animate('cx', at[frames, 0])}{animate('cy', at[frames, 1])}</circle></g>"
    )


def animate(attribute: str, values: np.ndarray) -> str:
    """Return the element that moves an attribute through the values once the script says so."""
    series = ";".join(f"{value:.1f}" for value in values)
    return (
        f'<animate attributeName="{attribute}" values="{series}" dur="{SECONDS}s" '
        'begin="indefinite"/>'
    )


def figure(surface: surfaces.Surface, runs: list[Run], view: View, steps: int) -> str:
    """Return the whole figure: picture, legend with the final losses, button."""
    results = [(run.label, run.colour, f"{run.trajectory.final_loss:.2g}") for run in runs]
    told = ", ".join(f"{label} {loss}" for label, _, loss in results)
    title = (
        f"{len(runs)} optimizers on the surface {surface.name}; loss after {steps} steps: {told}"
    )
    goal = view.pixels(np.array(surface.minima))
    stars = "".join(f'<text class="goal" x="{x:.0f}" y="{y:.0f}">★</text>' for x, y in goal)
    legend = "".join(
        f'<li style="--run: {colour}">{escape(label)} <b>{loss}</b></li>'
        for label, colour, loss in results
    )
    return (
        f'<figure class="race"><svg viewBox="0 0 {view.width} {view.height}" role="img" '
        f'aria-label="{escape(title)}">{shade(surface, view)}'
        f"{''.join(draw(run, view) for run in runs)}{stars}</svg><figcaption>"
        f"<span>Loss on {escape(surface.name)} after {steps} steps:</span><ul>{legend}</ul>"
        f'<button type="button" hidden>Replay</button></figcaption></figure>{SCRIPT}'
    )


def numbers(text: str) -> list[float]:
    """Read an option's numbers."""
    return [float(number) for number in text.split()]


class Race(SphinxDirective):
    """Run the listed optimizers and show their race."""

    required_arguments = 1
    has_content = True
    option_spec: ClassVar = {
        "steps": directives.positive_int,
        "start": numbers,
        "window": numbers,
    }

    def run(self) -> list[nodes.Node]:
        """Return the figure as one raw node."""
        surface = getattr(surfaces, self.arguments[0])()
        steps, start = self.options["steps"], self.options["start"]
        left, right, low, high = self.options["window"]
        entries = yaml.safe_load("\n".join(self.content))
        runs = [start_run(surface, steps, {"start": start, **entry}) for entry in entries]
        view = View((left, right), (low, high))
        return [nodes.raw("", figure(surface, runs, view, steps), format="html")]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("race", Race)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
