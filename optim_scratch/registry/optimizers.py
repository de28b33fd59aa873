"""Every optimizer, in the book's order."""

from .method import Method

OPTIMIZERS = (
    Method(
        "SGD", "optimizer", "optimizers.sgd", "optimizers/gradient-descent",
        summary="a step down the gradient of a mini-batch, with momentum on request",
        source="Robbins & Monro 1951; Polyak 1964; Nesterov 1983", reference="robbins1951",
        year=1951, torch="torch.optim.SGD", family="gradient", memory="0, or 1 with momentum",
        update=r"b \leftarrow \mu b + g, \quad \theta \leftarrow \theta - \eta\,b",
        when="For images, with momentum 0.9 and a rate that falls; as the measure of any other.",
    ),
    Method(
        "SGDW", "optimizer", "optimizers.sgdw", "optimizers/weight-decay",
        summary="SGD with weight decay beside the buffer, not through it",
        source="Loshchilov & Hutter 2019", reference="loshchilov2019", year=2019,
        parent="SGD", family="gradient", dash=1, memory="0, or 1 with momentum",
        update=r"b \leftarrow \mu b + g, \quad \theta \leftarrow (1-\eta\lambda)\,\theta - \eta\,b",
        when="As SGD with momentum, if decay is not to depend on the momentum.",
    ),
    Method(
        "GradientNoise", "optimizer", "optimizers.gradient_noise",
        "optimizers/noise-on-purpose",
        summary="noise on the gradients of another optimizer, less from step to step",
        source="Neelakantan et al. 2015", reference="neelakantan2015", year=2015,
        parent="SGD", family="gradient", dash=2, memory="0 more", wraps=True,
        update=r"g \leftarrow g + \sigma_t\,\varepsilon_t, "
        r"\quad \sigma_t^2 = \sigma_1^2 / t^{\gamma}",
        when="Where a start is symmetric and you cannot choose another; else start at random.",
    ),
    Method(
        "Adagrad", "optimizer", "optimizers.adagrad", "optimizers/adagrad",
        summary="each entry of the gradient over the root of all its squares so far",
        source="Duchi, Hazan & Singer 2011", reference="duchi2011", year=2011,
        torch="torch.optim.Adagrad", parent="SGD", family="adaptive", dash=5, memory="1",
        update=r"s \leftarrow s + g^2, \quad "
        r"\theta \leftarrow \theta - \eta\,g / (\sqrt{s} + \varepsilon)",
        when="When features are rare, as words are, and the data stay the same; else Adam.",
    ),
    Method(
        "RMSprop", "optimizer", "optimizers.rmsprop", "optimizers/rmsprop-and-adadelta",
        summary="each entry of the gradient over its own recent size",
        source="Tieleman & Hinton 2012; Graves 2013", reference="tieleman2012", year=2012,
        torch="torch.optim.RMSprop", parent="Adagrad", family="adaptive", dash=1, memory="1 to 3",
        update=r"v \leftarrow \alpha v + (1-\alpha) g^2, \quad "
        r"\theta \leftarrow \theta - \eta\,g / (\sqrt{v} + \varepsilon)",
        when="Where a recipe asks for it, with a rate that falls; else Adam.",
    ),
    Method(
        "Adadelta", "optimizer", "optimizers.adadelta", "optimizers/rmsprop-and-adadelta",
        summary="steps of the size of the last steps, without a rate",
        source="Zeiler 2012", reference="zeiler2012", year=2012,
        torch="torch.optim.Adadelta", parent="Adagrad", family="adaptive", dash=6, memory="2",
        update=r"d = \sqrt{a + \varepsilon}\,g / \sqrt{v + \varepsilon}, \quad "
        r"\theta \leftarrow \theta - \eta\,d",
        when="When there is no time to search for a rate, and a slow start does no harm.",
    ),
    Method(
        "Adam", "optimizer", "optimizers.adam", "optimizers/adam",
        summary="a step along the mean gradient, in units of its root mean square",
        source="Kingma & Ba 2015; Reddi et al. 2018", reference="kingma2015", year=2015,
        torch="torch.optim.Adam", parent="RMSprop", family="adaptive",
        memory="2, or 3 with AMSGrad",
        update=r"\theta \leftarrow \theta - \eta\,\hat m / (\sqrt{\hat v} + \varepsilon)",
        when="When gradients differ much in size from weight to weight; with decay, take AdamW.",
    ),
    Method(
        "SparseAdam", "optimizer", "optimizers.sparse_adam", "optimizers/adagrad",
        summary="Adam for the rows that have a gradient; the others stand still",
        source="torch, 2017; after Kingma & Ba 2015", reference="kingma2015", year=2017,
        torch="torch.optim.SparseAdam", parent="Adam", family="adaptive", dash=13, memory="2",
        elementwise=False, rows=True,
        update=r"\theta_r \leftarrow \theta_r "
        r"- \eta\,\hat m_r / (\sqrt{\hat v_r} + \varepsilon)",
        when="For a large table of which each batch has a few rows, where Adam is wanted.",
    ),
    Method(
        "AdamW", "optimizer", "optimizers.adamw", "optimizers/weight-decay",
        summary="Adam with weight decay beside the gradient, not in it",
        source="Loshchilov & Hutter 2019", reference="loshchilov2019", year=2019,
        torch="torch.optim.AdamW", parent="Adam", family="adaptive", dash=2,
        memory="2, or 3 with AMSGrad",
        update=r"\theta \leftarrow (1-\eta\lambda)\,\theta "
        r"- \eta\,\hat m / (\sqrt{\hat v} + \varepsilon)",
        when="Wherever Adam is right; the usual choice for transformers.",
    ),
    Method(
        "Adamax", "optimizer", "optimizers.adamax", "optimizers/adams-relatives",
        summary="Adam with the largest gradient of late in place of the root mean square",
        source="Kingma & Ba 2015", reference="kingma2015", year=2015,
        torch="torch.optim.Adamax", parent="Adam", family="adaptive", dash=7, memory="2",
        update=r"u \leftarrow \max(\beta_2 u, \lvert g\rvert), \quad "
        r"\theta \leftarrow \theta - \eta\,\hat m / u",
        when="Seldom: where one huge gradient must not make a long step. Clipping does that too.",
    ),
    Method(
        "NAdam", "optimizer", "optimizers.nadam", "optimizers/adams-relatives",
        summary="Adam that looks ahead, as Nesterov's momentum does",
        source="Dozat 2016", reference="dozat2016", year=2016,
        torch="torch.optim.NAdam", parent="Adam", family="adaptive", dash=3, memory="2",
        update=r"\theta \leftarrow \theta "
        r"- \eta\,(\mu\,\hat m + (1-\mu)\,\hat g) / (\sqrt{\hat v} + \varepsilon)",
        when="In place of Adam where gradients have little noise and the path swings.",
    ),
    Method(
        "RAdam", "optimizer", "optimizers.radam", "optimizers/adams-relatives",
        summary="Adam that takes momentum's steps until it knows its denominators",
        source="Liu et al. 2020", reference="liu2020", year=2020,
        torch="torch.optim.RAdam", parent="Adam", family="adaptive", dash=8, memory="2",
        update=r"\theta \leftarrow \theta - r_t\,\eta\,\hat m / \sqrt{\hat v}",
        when="In place of Adam with a warmup, in runs of many thousand steps.",
    ),
    Method(
        "Yogi", "optimizer", "optimizers.yogi", "optimizers/adam-that-converges",
        summary="Adam whose mean square changes by no more than the new square",
        source="Zaheer et al. 2018", reference="zaheer2018", year=2018,
        parent="Adam", family="adaptive", dash=9, memory="2",
        update=r"v \leftarrow v - (1-\beta_2)\,\operatorname{sign}(v - g^2)\,g^2, \quad "
        r"\theta \leftarrow \theta - \eta\,\hat m / (\sqrt{\hat v} + \varepsilon)",
        when="If Adam must run with a short memory; else Adam.",
    ),
    Method(
        "AdaBelief", "optimizer", "optimizers.adabelief", "optimizers/adams-relatives",
        summary="steps in units of how far the gradient is from what was expected",
        source="Zhuang et al. 2020", reference="zhuang2020", year=2020,
        parent="Adam", family="adaptive", dash=10, memory="2",
        update=r"s \leftarrow \beta_2 s + (1-\beta_2)(g-m)^2 + \varepsilon, \quad "
        r"\theta \leftarrow \theta - \eta\,\hat m / (\sqrt{\hat s} + \varepsilon)",
        when="Seldom: with mini-batches it is Adam at a slightly higher rate.",
    ),
    Method(
        "Adan", "optimizer", "optimizers.adan", "optimizers/adams-relatives",
        summary="Adam with a look ahead made from the change of the gradient",
        source="Xie et al. 2024", reference="xie2024adan", year=2024,
        parent="NAdam", family="adaptive", dash=11, memory="4",
        update=r"\theta \leftarrow \theta "
        r"- \eta\,(\hat m + \beta_2 \hat d) / (\sqrt{\hat n} + \varepsilon)",
        when="Where four numbers for each weight are no matter; at one to four times Adam's rate.",
    ),
    Method(
        "AdaBound", "optimizer", "optimizers.adabound", "optimizers/between-adam-and-sgd",
        summary="Adam whose rates are held in a band that closes on one of SGD's",
        source="Luo et al. 2019", reference="luo2019", year=2019,
        parent="Adam", family="adaptive", dash=12, memory="2, or 3 with AMSBound",
        update=r"\theta \leftarrow \theta - "
        r"\operatorname{clip}(r, \eta^*_{\text{low}}, \eta^*_{\text{high}})\,m",
        when="Seldom: if SGD ends better than Adam after both were tuned, and starts worse.",
    ),
    Method(
        "SWATS", "optimizer", "optimizers.swats", "optimizers/between-adam-and-sgd",
        summary="Adam, and SGD once its rate is found",
        source="Keskar & Socher 2017", reference="keskar2017", year=2017,
        parent="Adam", family="adaptive", dash=14, memory="2, or 3 as SGD",
        elementwise=False,
        update=r"\Lambda = \operatorname{mean}\,p^\top p / (-p^\top g), \quad "
        r"\theta \leftarrow \theta - (1-\beta_1)\,\Lambda\,b",
        when="Hardly: switch by hand, at a step and a rate that you choose.",
    ),
    Method(
        "Adafactor", "optimizer", "optimizers.adafactor", "",
        summary="the mean squares of a matrix from those of its rows and columns",
        source="Shazeer & Stern 2018", reference="shazeer2018", year=2018,
        torch="torch.optim.Adafactor", parent="Adam", family="adaptive", dash=4,
        memory="1/rows + 1/columns", elementwise=False,
    ),
    Method(
        "Rprop", "optimizer", "optimizers.rprop", "optimizers/signs",
        summary="a step length for each entry, which grows while the gradient keeps its sign",
        source="Riedmiller & Braun 1993; Igel & Hüsken 2000", reference="riedmiller1993", year=1993,
        torch="torch.optim.Rprop", parent="SGD", family="sign", memory="2",
        update=r"s \leftarrow s \cdot \{1.2,\ 1,\ \tfrac12\}, \quad "
        r"\theta \leftarrow \theta - s \operatorname{sign}(g)",
        when="On small problems with the whole data set in each step; never on mini-batches.",
    ),
    Method(
        "SignSGD", "optimizer", "optimizers.sign_sgd", "optimizers/signs",
        summary="a step of one length for each entry, by the sign of the gradient",
        source="Bernstein et al. 2018", reference="bernstein2018", year=2018,
        parent="SGD", family="sign", dash=1, memory="0, or 1 with momentum",
        update=r"m \leftarrow \mu m + (1-\mu)\,g, \quad "
        r"\theta \leftarrow \theta - \eta \operatorname{sign}(m)",
        when="To understand Adam and Lion; for training only with momentum and a rate that falls.",
    ),
    Method(
        "Lion", "optimizer", "optimizers.lion", "optimizers/signs",
        summary="the sign of a momentum that weighs the newest gradient more",
        source="Chen et al. 2023", reference="chen2023", year=2023,
        parent="SignSGD", family="sign", dash=2, memory="1",
        update=r"\theta \leftarrow (1-\eta\lambda)\,\theta "
        r"- \eta \operatorname{sign}(\beta_1 m + (1-\beta_1) g), \quad "
        r"m \leftarrow \beta_2 m + (1-\beta_2) g",
        when="In place of AdamW, at a smaller rate, where memory is short and batches are large.",
    ),
    Method(
        "ASGD", "optimizer", "optimizers.asgd", "optimizers/averages",
        summary="a falling rate, and the average of the points",
        source="Polyak & Juditsky 1992", reference="polyak1992", year=1992,
        torch="torch.optim.ASGD", parent="SGD", family="average", memory="1",
        update=r"\theta \leftarrow (1-\lambda\eta)\,\theta - \eta\,g, \quad "
        r"a \leftarrow a + \tfrac1n(\theta - a)",
        when="To have the mean from the optimizer itself, with `t0` and `lambd` set by hand.",
    ),
    Method(
        "SWA", "optimizer", "optimizers.swa", "optimizers/averages",
        summary="the mean of the points that another optimizer passes",
        source="Izmailov et al. 2018", reference="izmailov2018", year=2018,
        parent="ASGD", family="average", dash=1, memory="1 more", wraps=True,
        update=r"a \leftarrow a + \tfrac1n(\theta - a)",
        when="At the end of a run whose rate is still high: the mean of about its last quarter.",
    ),
    Method(
        "EMA", "optimizer", "optimizers.ema", "optimizers/averages",
        summary="the same, with points that fade",
        source="Polyak & Juditsky 1992", reference="polyak1992", year=1992,
        parent="SWA", family="average", dash=2, memory="1 more", wraps=True,
        update=r"a \leftarrow \beta a + (1-\beta)\,\theta",
        when="While the rate is high, for a good network at any time; not after a fall to zero.",
    ),
    Method(
        "Lookahead", "optimizer", "optimizers.lookahead", "optimizers/lookahead",
        summary="some steps of another optimizer, then part of the way back",
        source="Zhang et al. 2019", reference="zhang2019lookahead", year=2019,
        parent="EMA", family="average", dash=3, memory="1 more, or 2 with the momentum",
        wraps=True,
        update=r"\phi \leftarrow \phi + \alpha\,(\theta - \phi), \quad "
        r"\theta \leftarrow \phi \quad \text{each } k \text{ steps}",
        when="Around momentum at twice its rate, where the rate cannot fall at the end.",
    ),
    Method(
        "SGDScheduleFree", "optimizer", "optimizers.sgd_schedule_free", "optimizers/no-schedule",
        summary="SGD and the average of its points in one, without a schedule",
        source="Defazio et al. 2024", reference="defazio2024", year=2024,
        parent="SGD", family="average", dash=4, memory="1",
        update=r"z \leftarrow z - \eta\,\nabla\mathcal{L}(y), \quad x \leftarrow x + (z-x)/t, "
        r"\quad y = (1-\beta)\,z + \beta\,x",
        when="Where the length of training is open; with a warmup, at ten times momentum's rate.",
    ),
    Method(
        "AdamWScheduleFree", "optimizer", "optimizers.adamw_schedule_free",
        "optimizers/no-schedule",
        summary="AdamW with an average in place of momentum and schedule",
        source="Defazio et al. 2024", reference="defazio2024", year=2024,
        parent="SGDScheduleFree", family="average", dash=5, memory="2",
        update=r"z \leftarrow z - \eta\,g_y / (\sqrt{\hat v} + \varepsilon), \quad "
        r"x \leftarrow x + (z-x)/t, \quad y = (1-\beta_1)\,z + \beta_1 x",
        when="In place of AdamW and its schedule where the length of training is open.",
    ),
    Method(
        "LARS", "optimizer", "optimizers.lars", "",
        summary="steps that are a share of the weights' length, layer by layer",
        source="You, Gitman & Ginsburg 2017", reference="you2017", year=2017,
        parent="SGD", family="layer", memory="0, or 1 with momentum",
        elementwise=False,
        update=r"b \leftarrow \mu b + \eta\,c\,\frac{\lVert\theta\rVert}"
        r"{\lVert g\rVert + \lambda\lVert\theta\rVert}\,(g + \lambda\theta), \quad "
        r"\theta \leftarrow \theta - b",
        when="For convolutional networks with batches of many thousand pictures; "
        "else SGD with momentum.",
    ),
    Method(
        "LAMB", "optimizer", "optimizers.lamb", "",
        summary="Adam's direction, in steps that are a share of the weights' length",
        source="You et al. 2020", reference="you2020", year=2020,
        parent="LARS", family="layer", dash=1, memory="2", elementwise=False,
        update=r"u = \hat m / (\sqrt{\hat v} + \varepsilon) + \lambda\theta, \quad "
        r"\theta \leftarrow \theta - \eta\,\frac{\lVert\theta\rVert}{\lVert u\rVert}\,u",
        when="For transformers with batches of many thousand sequences; else AdamW.",
    ),
    Method(
        "Prodigy", "optimizer", "optimizers.prodigy", "optimizers/no-rate",
        summary="Adam with a rate estimated from how far it has come",
        source="Mishchenko & Defazio 2024", reference="mishchenko2024", year=2024,
        parent="Adam", family="rate-free", memory="2 to 4", elementwise=False,
        update=r"d \leftarrow \max(d,\ r / \lVert s\rVert_1), \quad "
        r"\theta \leftarrow \theta - \eta\,d\,m / (\sqrt{v} + \varepsilon)",
        when="Where there is no time to tune, with a cosine; or once, to see where to begin.",
    ),
    Method(
        "Shampoo", "optimizer", "optimizers.shampoo", "",
        summary="Adagrad with a matrix for each axis in place of a number for each entry",
        source="Gupta, Koren & Singer 2018", reference="gupta2018", year=2018,
        parent="Adagrad", family="matrix", dash=1,
        memory="2 rows/columns + 2 columns/rows, and 1 with momentum", elementwise=False,
        update=r"L \leftarrow L + G G^\top, \quad R \leftarrow R + G^\top G, \quad "
        r"\Theta \leftarrow \Theta - \eta\,L^{-1/4} G R^{-1/4}",
        when="For matrices of some hundred rows and columns at most; for larger ones SOAP.",
    ),
    Method(
        "SOAP", "optimizer", "optimizers.soap", "",
        summary="Adam in the eigenbasis of Shampoo's matrices",
        source="Vyas et al. 2025", reference="vyas2025", year=2025,
        parent="Shampoo", family="matrix", dash=2,
        memory="2 + 2 rows/columns + 2 columns/rows", elementwise=False,
        update=r"G' = Q_L^\top G\,Q_R, \quad \Theta \leftarrow \Theta "
        r"- \eta\,Q_L\,\hat M' / (\sqrt{\hat V} + \varepsilon)\,Q_R^\top",
        when="In place of AdamW for matrices, with large batches, where there is memory for it.",
    ),
    Method(
        "Muon", "optimizer", "optimizers.muon", "",
        summary="momentum, made orthogonal before it is a step",
        source="Jordan et al. 2024; Liu et al. 2025", reference="jordan2024", year=2024,
        torch="torch.optim.Muon", parent="SGD", family="matrix", memory="1", elementwise=False,
    ),
    Method(
        "LBFGS", "optimizer", "optimizers.lbfgs", "optimizers/curvature",
        summary="Newton's step, with the curvature learned from the last gradients",
        source="Liu & Nocedal 1989", reference="liu1989", year=1989,
        torch="torch.optim.LBFGS", parent="SGD", family="curvature", memory="2 a pair, and 2",
        work="1 gradient or more a step",
        update=r"\theta \leftarrow \theta - t\,P g, \quad P y = s",
        when="For exact gradients and small problems: fits, regressions, a last polish.",
        elementwise=False, closure=True,
    ),
    Method(
        "SAM", "optimizer", "optimizers.sam", "optimizers/sharpness",
        summary="the gradient of the steepest neighbour, towards flat minima",
        source="Foret et al. 2021", reference="foret2021", year=2021,
        parent="SGD", family="sharpness", memory="0 more", work="2 gradients a step",
        update=r"\theta \leftarrow \theta - "
        r"\eta\,\nabla\mathcal{L}(\theta + \rho\, g/\lVert g\rVert)",
        when="Where a network overfits, as on wrong labels, and after weight decay is tuned.",
        elementwise=False,
        closure=True, wraps=True,
    ),
)  # fmt: skip
