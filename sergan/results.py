"""Records: one small JSON file a run, named by the hash of its configuration, and what goes with it.

    STORE/KEY.json    the record: configuration, scores, confusion, curve, time, versions, its own checksum
    STORE/KEY.npz     test logits (fp16), labels, speakers, row numbers
    STORE/KEY.pt      the discriminator's weights and scaling, for `sergan predict`

The JSON file is written last and atomically: where it is, the run is complete.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import torch

from sergan import SerganError
from sergan.files import check_zip, replacing


def key(config: dict) -> str:
    """The name of the record with this configuration: 16 hexadecimal digits of its SHA-256.

    Example:
        >>> key({"seed": 0, "corpus": "demo"}) == key({"corpus": "demo", "seed": 0})
        True
    """
    text = json.dumps(config, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def checksum(record: dict) -> str:
    """Of a record without its checksum: SHA-256, so that damage is found that leaves a number a number."""
    text = json.dumps({name: value for name, value in record.items() if name != "sha256"}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def write(store: Path, record: dict, arrays: dict | None = None, weights: dict | None = None) -> Path:
    """Write a record and what goes with it; returns the path of the record.

    Args:
        arrays: arrays for the `.npz`.
        weights: a state for the `.pt`.
    """
    path = Path(store) / f"{key(record['config'])}.json"
    record = {**record, "sha256": checksum(json.loads(json.dumps(record)))}
    if arrays is not None:
        with replacing(path.with_suffix(".npz")) as out:
            np.savez_compressed(out, **arrays)
    if weights is not None:
        with replacing(path.with_suffix(".pt")) as out:
            torch.save(weights, out)
    else:
        path.with_suffix(".pt").unlink(missing_ok=True)  # of an earlier record
    with replacing(path) as out:
        lines = (f"{json.dumps(name)}: {json.dumps(value)}" for name, value in record.items())
        out.write(("{" + ",\n".join(lines) + "}\n").encode())  # one line a key: small, and kind to diff
    return path


def load(path: Path) -> dict:
    """One record. Raises SerganError where the file is damaged or not a record."""
    try:
        record = json.loads(Path(path).read_text())
        if key(record["config"]) != Path(path).stem:
            raise ValueError("its name is not the hash of its configuration")
        record["confusion"], record["wa"], record["ua"]
        if record.pop("sha256", None) not in (None, checksum(record)):  # older records have none
            raise ValueError("it is not what was written")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SerganError(f"record {path} is damaged ({error}); delete it and run again") from error
    return record


def published() -> Path:
    """The store of records that the book cites: `_records` in an installed package, `results/` in its source tree."""
    here = Path(__file__).resolve().parent
    return here / "_records" if (here / "_records").is_dir() else here.parent / "results"


def read(store: Path) -> list[dict]:
    """All records of a store, in a stable order."""
    store = Path(store)
    if not store.is_dir():
        raise SerganError(f"there is no store {store}; `sergan run --store {store}` makes one")
    return [load(path) for path in sorted(store.glob("*.json"))]


def is_done(store: Path, config: dict) -> bool:
    """Whether the run with this configuration is complete; one with a damaged file is not."""
    path = Path(store) / f"{key(config)}.json"
    if not path.exists():
        return False
    try:
        load(path)
        check_zip(path.with_suffix(".npz"))
        if path.with_suffix(".pt").exists():
            check_zip(path.with_suffix(".pt"))
    except Exception:  # a damaged file can fail in many ways
        return False
    return True


def load_weights(path: Path) -> dict:
    """The state that `write` saved as `.pt`. No code in the file is run."""
    try:
        check_zip(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise SerganError(f"there are no weights {path}; run again without --no-weights") from error
    except Exception as error:  # torch.load raises many kinds for a damaged file
        raise SerganError(f"weights {path} are damaged; delete {path.stem}.* and run again") from error
