"""Draw a surface as SVG, for the race and the explorers."""

from dataclasses import dataclass

import contourpy
import numpy as np

from optim_scratch import surfaces


@dataclass(frozen=True)
class View:
    """Maps the window's points onto the picture's pixels."""

    x: tuple[float, float]
    y: tuple[float, float]
    width: int = 720
    height: int = 400

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """Turn points of shape (n, 2) into pixels, the y axis upwards."""
        across = (points[:, 0] - self.x[0]) / (self.x[1] - self.x[0])
        up = (points[:, 1] - self.y[0]) / (self.y[1] - self.y[0])
        return np.stack([across * self.width, (1 - up) * self.height], axis=1)


def shade(surface: surfaces.Surface, view: View) -> str:
    """Draw the regions below twelve levels, one over the other, darkest at the minimum."""
    x, y = np.linspace(*view.x, 160), np.linspace(*view.y, 100)
    z = surface.value(np.stack(np.meshgrid(x, y), axis=-1))
    regions = contourpy.contour_generator(x, y, z, fill_type="OuterOffset")
    levels = z.min() + (z.max() - z.min()) * np.geomspace(2e-5, 0.6, 12)
    return "".join(
        f'<path class="level" d="{outline(*polygon, view)}"/>'
        for level in levels
        for polygon in zip(*regions.filled(-np.inf, level), strict=True)
    )


def outline(points: np.ndarray, offsets: np.ndarray, view: View) -> str:
    """Return the path of a polygon and its holes."""
    rings = np.split(view.pixels(points), offsets[1:-1])
    return "".join("M" + "L".join(f"{x:.0f} {y:.0f}" for x, y in ring) + "Z" for ring in rings)
