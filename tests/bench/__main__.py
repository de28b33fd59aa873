"""Print how fast the package is, as ratios measured side by side in this run."""

from tests.bench import epoch, runs, steps


def main() -> None:
    """Print every measurement as it comes."""
    for part in (steps, runs, epoch):
        for line in part.measure():
            print(line, flush=True)


if __name__ == "__main__":
    main()
