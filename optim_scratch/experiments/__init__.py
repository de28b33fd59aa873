"""Real networks on real images: the one place of the package that imports torch.

Importing this package imports no torch, so that records can be read without it:
`optim_scratch.experiments.results` and `report` need pandas and matplotlib alone.
"""
