"""The command `optim-lab`, which is `optim_scratch.experiments.cli`.

It lies beside the package because importing that takes a moment, in which Ctrl-C would print a
trace.
"""

import signal


def main() -> int:
    """Run the command line and return its exit code."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # ends the process, until `Endings` hears it
    from optim_scratch.experiments.cli import main as command

    return command()


if __name__ == "__main__":
    raise SystemExit(main())
