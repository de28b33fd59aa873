"""The ladder: every method on one small network, by one protocol, from a committed file.

`make ladder` writes the file.
"""

from .entries import ENTRIES, Entry
from .reading import Row, compare, measure, read, row, rows
from .running import PROTOCOL
from .schedules import SCHEDULES, Schedule

__all__ = [
    "ENTRIES",
    "PROTOCOL",
    "SCHEDULES",
    "Entry",
    "Row",
    "Schedule",
    "compare",
    "measure",
    "read",
    "row",
    "rows",
]
