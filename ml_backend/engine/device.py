"""Whether this machine has the device that was asked for."""

from __future__ import annotations

from ml_backend.errors import ConfigError


def check_device(name: str) -> None:
    """name: auto, cpu, cuda or cuda:N. Raises ConfigError for a CUDA device that PyTorch does not see."""
    kind, _, number = name.partition(":")
    if kind != "cuda":
        return
    import torch  # here, so that `lantern serve`'s supervisor holds it only where it has to look

    if int(number or 0) >= torch.cuda.device_count():
        raise ConfigError(
            f"device {name!r}: PyTorch sees {torch.cuda.device_count()} CUDA devices here; use auto or cpu"
        )
