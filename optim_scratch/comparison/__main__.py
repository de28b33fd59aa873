"""Measure every method, or those that are named, on every ground, and write the file."""

from __future__ import annotations

import json
import platform
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import optim_scratch

from .measuring import GROUNDS, PROTOCOL, line
from .methods import ENTRIES, LEFT_OUT
from .reading import FILE

PLACE = Path(__file__).with_name(FILE)


def main(names: list[str]) -> None:
    """Measure every method, or those that are named, ground by ground; keep the file's others."""
    unknown = set(names) - {entry.name for entry in ENTRIES}
    if unknown:
        sys.exit(f"not compared: {', '.join(sorted(unknown))}")
    old = json.loads(PLACE.read_text(encoding="utf-8"))["curves"] if names else []
    kept = {(each["ground"], each["method"]): each for each in old}
    order = [(ground.name, entry.name) for ground in GROUNDS for entry in ENTRIES]
    for ground in GROUNDS:
        begin = time.process_time()
        for entry in ENTRIES:
            if not names or entry.name in names:
                kept[ground.name, entry.name] = line(ground, entry)
        print(f"{ground.name:<20} {time.process_time() - begin:5.1f} s", flush=True)
        save([kept[key] for key in order if key in kept])


def save(lines: list[dict[str, Any]]) -> None:
    """Write what has been measured so far."""
    content = {
        "protocol": PROTOCOL,
        "versions": {
            "optim_scratch": optim_scratch.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        "left_out": LEFT_OUT,
        "curves": lines,
    }
    text = json.dumps(content, ensure_ascii=False).replace('{"ground"', '\n{"ground"')
    PLACE.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
