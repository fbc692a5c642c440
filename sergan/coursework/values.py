"""Values between two processes that do not trust each other: numbers, text, lists, arrays; never a pickle."""

from __future__ import annotations

import base64
import json
import math

import numpy as np

LIMIT = 20_000_000
"""Bytes of one message."""
KINDS = "biufc"
"""Of arrays: truth values, numbers."""
BAD = (ValueError, TypeError, KeyError, OverflowError, RecursionError, MemoryError, SyntaxError)
"""What reading a message can raise that its writer did not mean to be read."""


def encode(value):
    """For JSON. Tensors and arrays keep dtype and shape. Raises TypeError for anything that is not data."""
    if hasattr(value, "detach"):  # a tensor; torch need not be imported for others
        value = value.detach().cpu().numpy()
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": repr(value)}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, complex):
        return encode(np.array(value))
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "US":
            return encode(value.tolist())
        if value.dtype.kind not in KINDS:
            raise TypeError("an array of objects")
        data = base64.b64encode(value.tobytes()).decode()
        return {"array": data, "dtype": value.dtype.str, "shape": list(value.shape)}
    if isinstance(value, list | tuple):
        return [encode(part) for part in value]
    if isinstance(value, dict):
        return {"dict": [[encode(name), encode(part)] for name, part in value.items()]}
    raise TypeError(f"a {type(value).__name__}")


def decode(value):
    """What `encode` made; tuples come back as lists. Raises one of `BAD` for what it did not make."""
    if isinstance(value, list):
        return [decode(part) for part in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"float"}:
        return float(value["float"])
    if set(value) == {"array", "dtype", "shape"}:
        dtype = np.dtype(str(value["dtype"]))
        if dtype.kind not in KINDS:
            raise ValueError("not an array of numbers")
        data = base64.b64decode(value["array"], validate=True)
        return np.ndarray(tuple(value["shape"]), dtype, data).copy()  # checks that the data suffice
    if set(value) == {"dict"}:
        return {decode(name): decode(part) for name, part in value["dict"]}
    raise ValueError("not a value")


def line(message) -> bytes:
    """A message as one line. Raises TypeError if it holds what is no data, or too much of it."""
    text = json.dumps(message, allow_nan=False).encode() + b"\n"
    if len(text) > LIMIT:
        raise TypeError(f"more than {LIMIT // 10**6} MB")
    return text
