"""Put an optimizer of your own through what the book's have to pass, and measure it beside them.

`check` is for a test of yours, `examine` for a look: it measures too, and draws.
"""

from .battery import Verdict
from .examining import Report, check, examine
from .measuring import Curve

__all__ = ["Curve", "Report", "Verdict", "check", "examine"]
