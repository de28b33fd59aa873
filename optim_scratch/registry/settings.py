"""Every setting of an optimizer that the book treats as a method of its own."""

from .method import Setting

SETTINGS = (
    Setting(
        "momentum", "SGD(momentum=0.9)", "optimizers/momentum",
        summary="a step along the sum of the gradients, of which old ones fade",
        source="Polyak 1964", reference="polyak1964", year=1964,
        parent="SGD", mends="zigzags across a ravine and creeps along it",
        family="gradient", memory="1",
    ),
    Setting(
        "Nesterov", "SGD(momentum=0.9, nesterov=True)", "optimizers/nesterov",
        summary="momentum that takes its gradient where it is about to be",
        source="Nesterov 1983", reference="nesterov1983", year=1983,
        parent="momentum", mends="looks at the slope where it stands, and overshoots",
        family="gradient", memory="1",
    ),
    Setting(
        "AMSGrad", "Adam(amsgrad=True)", "optimizers/adam-that-converges",
        summary="Adam that divides by the largest mean square so far",
        source="Reddi et al. 2018", reference="reddi2018", year=2018,
        parent="Adam", mends="forgets large gradients, and may walk uphill",
        family="adaptive", memory="3",
    ),
)  # fmt: skip
