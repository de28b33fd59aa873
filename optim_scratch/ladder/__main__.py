"""Measure the ladder, or the lines that are named, and write its file, line by line."""

from __future__ import annotations

import json
import platform
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import optim_scratch

from .entries import ENTRIES, Entry
from .reading import FILE
from .running import PROTOCOL, line
from .schedules import SCHEDULES, Schedule, schedule_line

PLACE = Path(__file__).with_name(FILE)


def main(names: list[str]) -> None:
    """Measure every line, or those that are named, and keep the others of the file."""
    entries: list[Entry | Schedule] = [*ENTRIES, *SCHEDULES]
    unknown = set(names) - {entry.name for entry in entries}
    if unknown:
        sys.exit(f"no line of the ladder: {', '.join(sorted(unknown))}")
    old = json.loads(PLACE.read_text(encoding="utf-8")) if names else {}
    kept = {
        each["name"]: each for part in ("optimizers", "schedules") for each in old.get(part, [])
    }
    for entry in entries:
        if names and entry.name not in names:
            continue
        begin = time.perf_counter()
        kept[entry.name] = line(entry) if isinstance(entry, Entry) else schedule_line(entry)
        print(f"{entry.name:<38} {time.perf_counter() - begin:5.1f} s", flush=True)
        save([kept[each.name] for each in entries if each.name in kept])


def save(lines: list[dict[str, Any]]) -> None:
    """Write what has been measured so far."""
    schedules = {schedule.name for schedule in SCHEDULES}
    content = {
        "protocol": PROTOCOL,
        "versions": {
            "optim_scratch": optim_scratch.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        "optimizers": [each for each in lines if each["name"] not in schedules],
        "schedules": [each for each in lines if each["name"] in schedules],
    }
    text = json.dumps(content, ensure_ascii=False).replace('{"name"', '\n{"name"')  # diffs by line
    PLACE.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
