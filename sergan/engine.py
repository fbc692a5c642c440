"""What makes a step fast without changing what it computes: memory, precision, microbatches.

Nothing here knows of emotions or GANs. In fp32 the results differ from a plain loop's by rounding only.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from functools import cache

import torch

from sergan import SerganError

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


KERNELS = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "64", "LRU_CACHE_CAPACITY": "64"}
"""How many kernels PyTorch's CPU libraries (oneDNN, and ideep before it) keep at most; by default 1,024 each."""


@cache
def keep_memory() -> bool:
    """Let this process keep the memory that it frees, but few kernels; returns whether the C library can do the first
    (glibc's `mallopt`).

    A step allocates tensors of many megabytes and frees them again. By default glibc gives such blocks back
    to the system at once and asks for them anew, page by page and zeroed, in the next step: on two cores
    this took 40 % of a BAM step. The process then holds its peak until it ends.

    Kernels are made and kept for each shape, and each batch is as long as its longest utterance. In bf16 they are
    large: a process grew by 35 MB a run of the preset `cpu`. `KERNELS`, unless the environment says otherwise, ends
    that, and costs no time that could be measured.
    """
    for name, most in KERNELS.items():
        os.environ.setdefault(name, most)
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # not glibc
        return False
    mmap_max, trim_threshold, top_pad = -4, -1, -2  # from malloc.h
    return all([mallopt(mmap_max, 0), mallopt(trim_threshold, -1), mallopt(top_pad, 1 << 26)])


def precision(name: str, device: torch.device) -> str:
    """`"auto"` as what the device computes natively: bf16, else fp16 (a GPU such as the T4), else fp32."""
    on_gpu = device.type == "cuda"
    if name == "auto":
        if on_gpu:
            name = "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
        else:
            able = getattr(torch.cpu, "get_capabilities", dict)()  # PyTorch before 2.10 cannot tell
            name = "bf16" if able.get("avx512_bf16") or able.get("amx_bf16") else "fp32"
    if name == "fp16" and not on_gpu:
        raise SerganError("precision=fp16 needs a GPU; use --set precision=auto, bf16 or fp32")
    return name


def microbatches(lengths: torch.Tensor, size: int) -> Iterator[torch.Tensor]:
    """Row numbers in parts of at most `size`, like lengths together, so that little padding is computed."""
    yield from lengths.argsort(stable=True, descending=True).split(size)
