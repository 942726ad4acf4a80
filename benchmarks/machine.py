"""The machine that figures belong to, without anything that names it; and whether it was busy."""

import datetime
import os
import platform
from importlib.metadata import version
from pathlib import Path

import psutil
import torch

_FLAGS = ("fma", "avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile")
"""What decides which kernels torch and OpenCV run."""

LOAD = "load before"
"""The fact that differs from run to run on one machine."""

_BUSY = 0.5
"""Load a core at which others' work shows in the figures."""


def facts(chromium: str) -> dict[str, str]:
    """Fact -> text; `chromium` is the browser's version."""
    flags = [flag for flag in _FLAGS if flag in _cpuinfo("flags").split()]
    return {
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        "processor": _cpuinfo("model name") or platform.machine(),
        "cores": f"{os.cpu_count()} ({torch.get_num_threads()} threads in torch)",
        "instruction sets": ", ".join(flags) or "unknown",
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        "torch": torch.__version__,
        "Streamlit": version("streamlit"),
        "Chromium": chromium,
        LOAD: f"{os.getloadavg()[0]:.2f}",
    }


def busy_warning() -> str:
    """A sentence if other work has the cores; "" if not."""
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load <= _BUSY * cores:
        return ""
    return f"The machine was busy: load {load:.2f} on {cores} cores before the start. Times are too long."


def _cpuinfo(name: str) -> str:
    """A field of the first processor as Linux tells it; "" elsewhere."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")
