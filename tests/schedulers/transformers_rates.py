"""Write the rates of `transformers`' schedules to transformers_rates.json, to test ours against.

Run where torch and ``transformers==4.57.1`` are installed; the tests read the file alone.
"""

import json
from pathlib import Path

CASES = [
    ("get_linear_schedule_with_warmup", {"num_warmup_steps": 10, "num_training_steps": 100}),
    ("get_linear_schedule_with_warmup", {"num_warmup_steps": 0, "num_training_steps": 37}),
    ("get_cosine_schedule_with_warmup", {"num_warmup_steps": 10, "num_training_steps": 100}),
    (
        "get_cosine_schedule_with_warmup",
        {"num_warmup_steps": 5, "num_training_steps": 80, "num_cycles": 1.25},
    ),
    (
        "get_cosine_with_hard_restarts_schedule_with_warmup",
        {"num_warmup_steps": 7, "num_training_steps": 90, "num_cycles": 3},
    ),
    ("get_inverse_sqrt_schedule", {"num_warmup_steps": 16}),
    ("get_inverse_sqrt_schedule", {"num_warmup_steps": 8, "timescale": 50}),
    ("get_inverse_sqrt_schedule", {"num_warmup_steps": 0}),
    *(
        (
            "get_wsd_schedule",
            {
                "num_warmup_steps": 10,
                "num_stable_steps": 40,
                "num_decay_steps": 25,
                "decay_type": decay,
                "min_lr_ratio": least,
            },
        )
        for decay in ("linear", "cosine", "1-sqrt")
        for least in (0.0, 0.1)
    ),
]
LR, STEPS = 0.05, 120


def rates(name: str, arguments: dict[str, object]) -> list[float]:
    """Return the rate before each of the first updates."""
    import torch
    from transformers import optimization

    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(()))], lr=LR)
    scheduler = getattr(optimization, name)(optimizer, **arguments)
    seen = []
    for _ in range(STEPS):
        seen.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return seen


if __name__ == "__main__":
    import transformers

    content = {
        "transformers": transformers.__version__,
        "lr": LR,
        "cases": [
            {"name": name, "arguments": arguments, "rates": rates(name, arguments)}
            for name, arguments in CASES
        ],
    }
    target = Path(__file__).with_suffix(".json")
    target.write_text(json.dumps(content) + "\n")
