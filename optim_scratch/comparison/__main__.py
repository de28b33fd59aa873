"""Measure every method on every ground, and write the file."""

from __future__ import annotations

import json
import platform
import time
from pathlib import Path

import numpy as np

import optim_scratch

from .measuring import GROUNDS, PROTOCOL, line
from .methods import ENTRIES, LEFT_OUT
from .reading import FILE

PLACE = Path(__file__).with_name(FILE)


def main() -> None:
    """Measure, ground by ground."""
    lines = []
    for ground in GROUNDS:
        begin = time.process_time()
        lines += [line(ground, entry) for entry in ENTRIES]
        print(f"{ground.name:<20} {time.process_time() - begin:5.1f} s", flush=True)
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
    main()
