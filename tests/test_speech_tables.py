"""What chapter 3 reads of real recordings is what its script measures, and comes with the package."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from sergan import EMOTIONS, corpora, features, results

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("speech_tables", ROOT / "benchmarks" / "speech_tables.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_measurement_is_that_of_a_loop(script):
    found, table = script.measure("demo", None), corpora.load("demo")
    assert (found["utterances"], found["speakers"]) == (370, 10)
    assert found["duration_s"][-1] == pytest.approx(table["duration_s"].max(), abs=1e-3)
    (row,) = (r for r in found["voiced"] if (r["gender"], r["emotion"]) == ("male", "happy"))
    group = table[(table["gender"] == "male") & (table["emotion"] == "happy")]
    hits = loud = 0
    for rows in features.extract(group["file"], progress=False):
        for energy, f0 in zip(rows[:, 0], rows[:, 15], strict=True):
            if energy >= np.quantile(rows[:, 0], 0.6):
                loud, hits = loud + 1, hits + (f0 > 0)
    assert row["voiced"] == pytest.approx(100 * hits / loud, abs=0.051) and row["utterances"] == len(group)


def test_the_measured_file_is_beside_the_records_and_no_record(script):
    file = results.published() / "measured" / "speech.json"
    assert file == script.OUT and all(r["config"] for r in results.read(results.published())[:1])
    for one in json.loads(file.read_text())["corpora"]:
        by_speaker = corpora._module(one["corpus"]).EXPECTED.values()
        expected = sum(counts[emotion] for counts in by_speaker for emotion in EMOTIONS)
        assert one["utterances"] == expected == sum(row["utterances"] for row in one["voiced"])
        assert len(one["shares"]) == len(one["duration_s"]) and one["duration_s"] == sorted(one["duration_s"])
        assert all(0 <= row["voiced"] <= 100 for row in one["voiced"])
