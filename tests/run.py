"""Run every check, each a target of the Makefile, and close with a table.

A check's output is shown when it fails. The last line says how to run the first failure alone.
"""

import os
import re
import subprocess
import sys
import time

TARGETS = ["lint", "types", "unit", "nbval", "site", "site-test"]


def run(target: str) -> tuple[int, float, str]:
    """Run one target; return its exit status, its seconds and its output."""
    start = time.monotonic()
    command = [os.environ.get("MAKE", "make"), "--no-print-directory", target]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, time.monotonic() - start, done.stdout.strip()


def closing_line(output: str) -> str:
    """Return what a check says last, without colours and make's own words."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", output)
    lines = [line for line in plain.splitlines() if line and not line.startswith("make")]
    return lines[-1].strip("= ")[:80] if lines else ""


def main() -> int:
    """Run all, print the table, return 1 if anything failed."""
    rows = []
    for target in TARGETS:
        print(f"{target} ...", flush=True)
        status, seconds, output = run(target)
        if status:
            print(output, flush=True)
        rows.append((target, status, seconds, closing_line(output)))
    print()
    for target, status, seconds, line in rows:
        print(f"{'FAILED' if status else 'passed'}  {target:<10} {seconds:5.0f} s  {line}")
    failed = [target for target, status, *_ in rows if status]
    if failed:
        print(f"\n{len(failed)} of {len(rows)} failed; run the first alone with: make {failed[0]}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
