"""Loss surfaces over two parameters: value, gradient by hand, minima, and a good start.

Each function returns a `Surface`. Values and gradients broadcast: an array of points of shape
(..., 2) gives values of shape (...) and gradients of shape (..., 2), so that a thousand runs cost
one call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .checks import ANY, NOT_NEGATIVE, Integer, Number, type_name
from .parameter import Array

Point = tuple[float, float]


@dataclass(frozen=True)
class Surface:
    """A loss over two parameters.

    Parameters
    ----------
    name : str
        What the field calls it.
    value : callable
        From points, an array of shape (..., 2), to losses of shape (...).
    gradient : callable
        From points of shape (..., 2) to gradients of that shape.
    minima : tuple of points
        Where the gradient vanishes and the value is least, locally or globally.
    start : point
        Where a descent that shows something begins.
    bounds : pair of (low, high)
        What to draw, along x and along y.
    recipe : tuple
        The name of the function of this module that made it, and its arguments; empty for a
        surface of your own.
    """

    name: str
    value: Callable[[Array], Array]
    gradient: Callable[[Array], Array]
    minima: tuple[Point, ...]
    start: Point
    bounds: tuple[Point, Point]
    recipe: tuple[Any, ...] = ()

    def __call__(self, theta: Array) -> Array:
        """Return the loss at `theta`, of shape (..., 2)."""
        return self.value(theta)


def ravine(condition: float = 20.0, angle: float = 0.0) -> Surface:
    r"""Return a quadratic valley, steep across and flat along, turned by an angle.

    .. math:: f(u, v) = \tfrac12 (u^2 + \kappa v^2)

    where (u, v) are the coordinates (x, y) turned back by `angle`. The smallest curvature is 1,
    the largest :math:`\kappa`, which is thus the condition number.

    Parameters
    ----------
    condition : float, >= 1
        The condition number :math:`\kappa`.
    angle : float
        The angle, in degrees, between the flat direction and the x axis. Axis-aligned ravines
        flatter the methods that scale each coordinate by itself.

    Raises
    ------
    TypeError, ValueError
        If one is not a number, `condition` is below 1 or not finite, or `angle` is not finite.
    """
    condition = Number(low=1).check("condition", condition)
    angle = ANY.check("angle", angle)
    turn = np.deg2rad(angle)
    axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    hessian = axes.T @ np.diag([1.0, condition]) @ axes
    start = axes.T @ np.array([-8.0, 2.0])
    return Surface(
        name=f"ravine, κ = {condition:g}" + (f", {angle:g}°" if angle else ""),
        value=lambda theta: 0.5 * np.sum((theta @ hessian) * theta, axis=-1),
        gradient=lambda theta: theta @ hessian,
        minima=((0.0, 0.0),),
        start=(float(start[0]), float(start[1])),
        bounds=((-10.0, 10.0), (-10.0, 10.0)) if angle else ((-10.0, 10.0), (-3.0, 3.0)),
        recipe=("ravine", condition, angle),
    )


def rosenbrock() -> Surface:
    r"""Return Rosenbrock's curved valley.

    .. math:: f(x, y) = (1 - x)^2 + 100\,(y - x^2)^2

    Source: Rosenbrock (1960).
    """

    def value(theta: Array) -> Array:
        x, y = theta[..., 0], theta[..., 1]
        return (1 - x) ** 2 + 100 * (y - x**2) ** 2

    def gradient(theta: Array) -> Array:
        x, y = theta[..., 0], theta[..., 1]
        return np.stack([-2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)], axis=-1)

    return Surface(
        name="Rosenbrock",
        value=value,
        gradient=gradient,
        minima=((1.0, 1.0),),
        start=(-1.2, 1.0),
        bounds=((-2.0, 2.0), (-1.0, 3.0)),
        recipe=("rosenbrock",),
    )


def beale() -> Surface:
    r"""Return Beale's function: a flat plateau, steep walls, one minimum.

    .. math:: f(x, y) = (1.5 - x + xy)^2 + (2.25 - x + xy^2)^2 + (2.625 - x + xy^3)^2

    Source: Beale (1958).
    """

    def residuals(theta: Array) -> tuple[Array, Array, Array]:
        x, y = theta[..., 0], theta[..., 1]
        return 1.5 - x + x * y, 2.25 - x + x * y * y, 2.625 - x + x * y * y * y

    def value(theta: Array) -> Array:
        a, b, c = residuals(theta)
        return a**2 + b**2 + c**2

    def gradient(theta: Array) -> Array:
        x, y = theta[..., 0], theta[..., 1]
        a, b, c = residuals(theta)
        along_x = 2 * (a * (y - 1) + b * (y * y - 1) + c * (y * y * y - 1))
        along_y = 2 * x * (a + 2 * b * y + 3 * c * y * y)
        return np.stack([along_x, along_y], axis=-1)

    return Surface(
        name="Beale",
        value=value,
        gradient=gradient,
        minima=((3.0, 0.5),),
        start=(1.0, 1.5),
        bounds=((-1.0, 4.5), (-2.0, 2.5)),
        recipe=("beale",),
    )


def himmelblau() -> Surface:
    r"""Return Himmelblau's function: four minima, all of value 0.

    .. math:: f(x, y) = (x^2 + y - 11)^2 + (x + y^2 - 7)^2

    Source: Himmelblau (1972).
    """

    def value(theta: Array) -> Array:
        x, y = theta[..., 0], theta[..., 1]
        return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2

    def gradient(theta: Array) -> Array:
        x, y = theta[..., 0], theta[..., 1]
        a, b = x**2 + y - 11, x + y**2 - 7
        return np.stack([4 * x * a + 2 * b, 2 * a + 4 * y * b], axis=-1)

    return Surface(
        name="Himmelblau",
        value=value,
        gradient=gradient,
        minima=(
            (3.0, 2.0),
            (-2.805118086952745, 3.131312518250573),
            (-3.779310253377747, -3.283185991286170),
            (3.584428340330492, -1.848126526964404),
        ),
        start=(0.0, -0.5),
        bounds=((-5.5, 5.5), (-5.5, 5.5)),
        recipe=("himmelblau",),
    )


def rastrigin() -> Surface:
    r"""Return Rastrigin's function: a bowl with a minimum near every integer point.

    .. math:: f(x, y) = 20 + \sum_{z \in \{x, y\}} z^2 - 10 \cos 2\pi z

    Source: Rastrigin (1974).
    """
    tau = 2 * np.pi
    return Surface(
        name="Rastrigin",
        value=lambda theta: np.sum(10 + theta**2 - 10 * np.cos(tau * theta), axis=-1),
        gradient=lambda theta: 2 * theta + 10 * tau * np.sin(tau * theta),
        minima=((0.0, 0.0),),
        start=(3.3, -2.7),
        bounds=((-4.5, 4.5), (-4.5, 4.5)),
        recipe=("rastrigin",),
    )


def saddle() -> Surface:
    r"""Return a saddle between two minima.

    .. math:: f(x, y) = \tfrac12 x^2 - \tfrac12 y^2 + \tfrac14 y^4

    The gradient vanishes at the origin, where the surface falls along y only, and at the minima
    (0, ±1). The start lies a hair off the line y = 0, on which descent ends at the saddle.
    """

    def value(theta: Array) -> Array:
        x, y = theta[..., 0], theta[..., 1]
        return 0.5 * x**2 - 0.5 * y**2 + 0.25 * y**4

    return Surface(
        name="saddle",
        value=value,
        gradient=lambda theta: np.stack(
            [theta[..., 0], theta[..., 1] ** 3 - theta[..., 1]], axis=-1
        ),
        minima=((0.0, 1.0), (0.0, -1.0)),
        start=(-1.5, 1e-3),
        bounds=((-2.0, 2.0), (-1.6, 1.6)),
        recipe=("saddle",),
    )


def noisy(surface: Surface, sigma: float, seed: int = 0) -> Surface:
    r"""Return the surface with noise in its gradients, as mini-batches give.

    .. math:: g = \nabla f(\theta) + \sigma\,\varepsilon, \qquad \varepsilon \sim N(0, I)

    Values stay exact. Each call of `gradient` draws anew, so two descents on the same noisy
    surface differ; make one for each run to repeat it.

    Parameters
    ----------
    surface : Surface
        The surface below.
    sigma : float, >= 0
        The standard deviation of each entry of the noise, in units of the gradient.
    seed : int, >= 0
        Of the noise.

    Raises
    ------
    TypeError, ValueError
        If `surface` is none, `sigma` is not a number, negative or not finite, or `seed` is no
        integer of at least 0.
    """
    if not isinstance(surface, Surface):
        raise TypeError(f"surface must be a Surface, got {type_name(surface)}")
    sigma = NOT_NEGATIVE.check("sigma", sigma)
    seed = Integer(0).check("seed", seed)
    rng = np.random.default_rng(seed)

    def gradient(theta: Array) -> Array:
        return surface.gradient(theta) + sigma * rng.standard_normal(np.shape(theta))

    recipe = ("noisy", surface.recipe, sigma, seed) if surface.recipe else ()
    return replace(surface, name=f"noisy {surface.name}", gradient=gradient, recipe=recipe)


MAKERS: dict[str, Callable[..., Surface]] = {
    maker.__name__: maker
    for maker in (ravine, rosenbrock, beale, himmelblau, rastrigin, saddle, noisy)
}
"""The functions that make a surface, by name."""


def make(recipe: Sequence[Any]) -> Surface:
    """Return the surface that a recipe describes.

    Parameters
    ----------
    recipe : sequence
        The name of a function of this module and its arguments, as `Surface.recipe` has them; a
        surface among the arguments is a recipe itself.

    Raises
    ------
    ValueError
        If no function has that name. Its own refusals pass through.

    Examples
    --------
    >>> make(("ravine", 20.0)).name
    'ravine, κ = 20'
    """
    name, *arguments = recipe
    if name not in MAKERS:
        raise ValueError(f"recipe must begin with one of {', '.join(MAKERS)}, got {name!r}")
    made = [make(entry) if isinstance(entry, tuple | list) else entry for entry in arguments]
    return MAKERS[name](*made)
