"""What the machine is and can do, as far as it tells."""

import platform
from pathlib import Path

import torch

CPUINFO = Path("/proc/cpuinfo")
BFLOAT16 = frozenset({"avx512_bf16", "amx_bf16"})


def has_bfloat16(device: str) -> bool:
    """Return whether a device multiplies matrices in bfloat16 by itself, without emulation.

    Parameters
    ----------
    device : str
        One of torch's.
    """
    kind = torch.device(device).type
    if kind == "cuda":
        # torch.cuda.is_bf16_supported asks the same, of the current device alone
        return torch.version.hip is not None or torch.cuda.get_device_capability(device) >= (8, 0)
    return kind == "cpu" and not BFLOAT16.isdisjoint(cpu_features())


def cpu_features() -> frozenset[str]:
    """Return what the CPU can do, in the words of Linux; none where neither torch nor it tells."""
    ask = getattr(torch.cpu, "get_capabilities", None)  # older versions of torch have none
    if ask is not None:
        return frozenset(name for name, has in ask().items() if has is True)
    return frozenset(_cpuinfo("flags").split())


def device_name(device: torch.device) -> str:
    """Return what the device is called by its maker, as far as the system tells."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    name = _cpuinfo("model name") if device.type == "cpu" else ""
    return name or platform.processor() or platform.machine()


def _cpuinfo(what: str) -> str:
    """Return what Linux says of the first CPU under a word, or nothing."""
    lines = CPUINFO.read_text().splitlines() if CPUINFO.exists() else []
    found = (line.partition(":")[2].strip() for line in lines if line.startswith(what))
    return next(found, "")
