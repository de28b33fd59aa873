"""`python -m optim_scratch.experiments` is `optim-lab`."""

from optim_scratch.experiments.cli import main

raise SystemExit(main())
