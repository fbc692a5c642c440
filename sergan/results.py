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

from sergan import ABLATIONS, EMOTIONS, SerganError
from sergan.config import PRESETS, Config
from sergan.data import SPLITS
from sergan.files import replacing, whole_zip
from sergan.objectives import OBJECTIVES, REAL_LOSSES
from sergan.training import CONTROLS

BASELINES = ("majority", "linear")
"""Always the largest class; logistic regression on IS09 functionals."""

RECORD_KEYS = ("corpus", "split", "fold", "ablation", "objective", "control", "seed", "preset")
"""The part of a configuration that a record repeats at its top."""

LARGEST = 2**27
"""Bytes of one run's answers: some five million utterances."""


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
        if record.pop("sha256", None) not in (None, checksum(record)):  # older records have none
            raise ValueError("it is not what was written")
        demand_sound(record)
    except KeyError as error:
        raise SerganError(
            f"record {path} is damaged (it has no {error.args[0]}); delete it and run again"
        ) from error
    except (OSError, ValueError, TypeError, AttributeError, RecursionError, SerganError) as error:
        raise SerganError(f"record {path} is damaged ({error}); delete it and run again") from error
    return record


def demand_sound(record: dict) -> None:
    """Raises (ValueError, KeyError, TypeError) where something is not of a record's kind; believes its numbers."""

    def demand(name, fits):
        if not fits:
            raise ValueError(f"its {name} is none")

    def is_number(value, least=-1e300, most=1e300):
        return type(value) in (int, float) and least <= value <= most

    def is_count(value):
        return type(value) is int and value >= 0

    config, text, count = record["config"], {str}, {int}
    for name, kinds in {"corpus": text, "dataset": text, "fold": count, "seed": {int, type(None)},
                        "split_seed": {int, type(None)}}.items():  # fmt: skip
        demand(name, type(config[name]) in kinds)
    for name in RECORD_KEYS:
        demand(name, record[name] == config[name])
    usual = vars(Config())
    for name, value in config.items():
        kind = list if isinstance(usual.get(name), tuple) else type(usual.get(name))
        demand(name, name not in usual or type(value) is kind or (kind is float and is_number(value)))
    own = [config[name] for name in ("others", "augmentation") if config.get(name) is not None]
    demand("name of others", all(isinstance(name, str) for name in own))
    trained = record["ablation"] not in BASELINES
    demand("split", record["split"] in SPLITS)
    demand("ablation", not trained or record["ablation"] in ABLATIONS)
    demand(
        "objective",
        record["objective"] in (*OBJECTIVES, *REAL_LOSSES) if trained else record["objective"] is None,
    )
    demand("control", record["control"] in CONTROLS)
    demand("preset", record["preset"] in tuple(PRESETS) if trained else record["preset"] is None)
    demand("seed", type(record["seed"]) is int or not trained)

    classes, parts = len(EMOTIONS), record["utterances"]
    for name in ("wa", "ua"):
        demand(name, is_number(record[name], 0, 100))
    matrix = record["confusion"]
    demand(
        "confusion",
        len(matrix) == classes and all(len(row) == classes and all(map(is_count, row)) for row in matrix),
    )
    demand("utterances", set(parts) == {"train", "validation", "test"} and all(map(is_count, parts.values())))
    demand("folds", is_count(record["folds"]) and record["folds"] > 0)
    demand("time_s", is_number(record["time_s"], 0))
    demand("steps", is_count(record.get("steps", 0)))
    for name in ("device", "precision", "revision"):
        demand(name, isinstance(record.get(name, ""), str))
    demand("threads", is_count(record.get("threads", 1)))
    demand("versions", all(isinstance(v, str) for v in record.get("versions", {}).values()))
    curve = record["curve"]
    demand("curve", isinstance(curve, list) and all(entry.keys() == curve[0].keys() for entry in curve))
    for entry in curve:
        demand("curve", is_number(entry["wa"], 0, 100) and is_number(entry["ua"], 0, 100))
        demand("curve", all(value is None or type(value) in (int, float) for value in entry.values()))


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
        whole_zip(path.with_suffix(".npz"), most=LARGEST)
        if path.with_suffix(".pt").exists():
            whole_zip(path.with_suffix(".pt"))
    except Exception:  # a damaged file can fail in many ways
        return False
    return True


def load_weights(path: Path) -> dict:
    """The state that `write` saved as `.pt`. No code in the file is run."""
    try:
        whole_zip(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise SerganError(f"there are no weights {path}; run again without --no-weights") from error
    except Exception as error:  # torch.load raises many kinds for a damaged file
        raise SerganError(f"weights {path} are damaged; delete {path.stem}.* and run again") from error
