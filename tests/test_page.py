"""The page of `sergan report`: right numbers, sound HTML, nothing from outside, nothing half-written."""

import base64
import functools
import importlib.util
import json
import re
from collections import Counter
from dataclasses import asdict
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from sergan import EMOTIONS, SerganError, page, paper, report, results
from sergan.__main__ import main
from sergan.config import PRESETS
from sergan.corpora import iemocap

VOID = {"meta", "img", "br", "wbr", "link", "hr", "input"}
HOSTILE = "<img src=x onerror=alert(1)> \"'& $\\frac{$ \x00\ud800 </title>"


def record(ablation, objective, seed=0, *, corpus="iemocap", preset="paper", split="paper", fold=0, control="none",
           confusion=None, curve=(50.0, 60.0, 57.5), train=3141, **options):  # fmt: skip
    """A record as `experiments.run` makes it, of made-up numbers."""
    if confusion is None:  # the paper's test part, in the order of EMOTIONS
        confusion = [[221, 80, 6, 24], [52, 332, 25, 104], [27, 75, 40, 37], [15, 89, 4, 218]]
        confusion = np.roll(confusion, seed, axis=1) if seed else confusion
    counts = np.asarray(confusion)
    config = {"corpus": corpus, "dataset": "d", "split": split, "split_seed": seed if split == "paper" else None,
              "fold": fold, "ablation": ablation, "objective": objective, "control": control, "seed": seed,
              "preset": preset}  # fmt: skip
    if preset is not None:
        config |= {
            k: list(v) if isinstance(v, tuple) else v for k, v in asdict(PRESETS[preset]).items()
        } | options
    return {
        **{key: config[key] for key in config if key not in ("dataset", "split_seed")},
        "config": config,
        "wa": 100 * counts.trace() / counts.sum(),
        "ua": 100 * float(np.mean(counts.diagonal() / np.maximum(counts.sum(axis=1), 1))),
        "confusion": counts.tolist(),
        "utterances": {"train": train, "validation": 0, "test": int(counts.sum())},
        "folds": 1 if split == "paper" else 5,
        "curve": [{"wa": wa, "ua": wa} for wa in curve],
        "steps": 1600, "time_s": 61.5, "device": "NVIDIA H200", "threads": 7,
        "versions": {"torch": "9.8.7"}, "revision": "abcdef123456",
    }  # fmt: skip


@functools.cache
def paper_records():
    rows = [("AM", "cross_entropy"), ("AGM", "zero"), ("AGM", "fused"), ("BAM", "cross_entropy"), ("BAGM", "zero"),
            ("BAGM", "fused")]  # fmt: skip
    listed = [record(*row, seed) for row in rows for seed in range(3)]
    listed += [record("BAM", "cross_entropy", seed, control="placebo") for seed in range(3)]
    return [*listed, record("majority", None, preset=None, curve=())]


class Reader(HTMLParser):
    """Checks that elements nest and close, and gathers what the tests ask for."""

    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.ids, self.text, self.rows, self.tables = [], [], [], "", [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.seen.append((tag, attrs))
        self.ids += [attrs["id"]] if "id" in attrs else []
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append(0)
        if tag in ("td", "th"):
            self.tables[-1][-1] += int(attrs.get("colspan", 1))
            self.rows.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data
        if {"td", "th"} & set(self.open):
            self.rows[-1] += data


def read(records, store=None):
    """The page of these records, as text and taken apart."""
    text = page.page(report.groups(records), store)
    return text, Reader(text)


def cells_of(reader, name, columns):
    """The cells of the rows with this first cell."""
    return [reader.rows[k : k + columns] for k, cell in enumerate(reader.rows) if cell == name]


def test_tables_1_and_3_hold_the_records_numbers_beside_the_papers():
    _, reader = read(paper_records())
    train, test = paper.TABLE_1["train"], paper.TABLE_1["test"]
    both = [*(f"{train[e]:,}" for e in EMOTIONS), "3,141", "0", *(f"{test[e]}" for e in EMOTIONS), "1,349"]
    assert cells_of(reader, "these records", 12)[0][1:] == both == cells_of(reader, "the paper", 12)[0][1:]
    found = {name: cells_of(reader, name, 6)[0] for name in ("AM cross_entropy", "AGM zero", "AGM fused",
             "BAM cross_entropy", "BAGM zero", "BAGM fused", "majority", "BAM cross_entropy placebo")}  # fmt: skip
    runs = [r for r in paper_records() if (r["ablation"], r["objective"]) == ("BAGM", "fused")]
    wa, ua = (np.mean([r[score] for r in runs]) for score in ("wa", "ua"))
    assert found["BAGM fused"] == ["BAGM fused", "3", f"{wa:.2f}", "61.45", f"{ua:.2f}", "55.19"]
    assert [found[name][3] for name in ("AM cross_entropy", "AGM zero", "BAM cross_entropy")] == [
        "57.96", "58.71", "59.59"]  # fmt: skip


def test_intervals_and_differences_are_those_of_the_records():
    """Three folds each, by hand: mean and t interval, and the same of the paired differences."""
    sizes, records = (20, 40, 10, 30), []
    for fold, (plain, gan) in enumerate([(10, 13), (14, 15), (12, 17)]):  # right answers of the neutral 40
        for row, right in ((("BAM", "cross_entropy"), plain), (("BAGM", "fused"), gan)):
            confusion = np.diag(sizes)
            confusion[1] = (0, right, 0, 40 - right)
            records.append(record(*row, fold=fold, split="speaker", confusion=confusion))
    _, reader = read(records)
    half = 4.302653 / 3**0.5  # t of 2 degrees of freedom
    wa, gain = np.array([73.0, 75.0, 77.0]), np.array([3.0, 1.0, 5.0])
    wa, gain = (f"{x.mean():{sign}.2f} [{x.mean() - half * x.std(ddof=1):{sign}.2f}, "
                f"{x.mean() + half * x.std(ddof=1):{sign}.2f}]" for x, sign in ((wa, ""), (gain, "+")))  # fmt: skip
    rows = cells_of(reader, "BAGM fused", 7)
    assert rows[0][1:4] == ["3", wa, "61.45"] and rows[1][1:5] == ["BAM", "3", gain, "+1.86"]


def test_every_table_says_where_it_comes_from():
    text, _ = read(paper_records())
    line = "iemocap, paper split, preset paper; 3 runs a row; on NVIDIA H200; revision abcdef123456."
    assert text.count("<h3 id=") == text.count(line) == 7
    assert "torch 9.8.7" in text and "0:03:04 h" in text and "1,600" in text  # 3 runs of 61.5 s


def test_table_4_is_the_papers_where_the_counts_are_the_papers():
    """Its cells are whole counts over its test part, so these counts give its percentages back."""
    records = [record("BAGM", "zero"), record("BAM", "cross_entropy")]
    _, reader = read(records)
    for emotion, row in zip(paper.TABLE_4_CLASSES, paper.TABLE_4, strict=True):
        ours, theirs = [cells for cells in cells_of(reader, emotion, 6) if re.match(r"\d", cells[1])]
        assert ours == theirs == [emotion, *(f"{x:.2f}" for x in row), str(paper.TABLE_1["test"][emotion])]
    assert "811 of 1,349 right, 60.12 % WA" in reader.text and "under zero alone" in reader.text


def test_what_the_runs_are_not_is_said():
    text, _ = read([record("BAM", "cross_entropy", curve=())])
    assert "These runs do what the paper states" in text
    assert "these runs are not that" not in text and "synthetic" not in text
    text, _ = read([record("BAM", "cross_entropy", curve=(), epochs=3)])
    assert "these runs are not that" in text and "epochs=3 (not 400)" in text
    text, _ = read([record("BAM", "cross_entropy", curve=(), epoch="batch")])
    assert (
        "these runs are not that" not in text and "where the paper is silent: epoch=batch (not pass)" in text
    )
    text, _ = read([record("BAM", "cross_entropy", curve=(), preset="demo", corpus="demo")])
    assert "nothing here is a finding about human speech" in text and "these runs are not that" in text


@pytest.mark.parametrize("made", [{}, {"corpus": "demo", "preset": "demo"}, {"split": "speaker"}])
def test_the_notes_are_those_of_the_terminal(made):
    """Every honest sentence that `report.text` prints is on the page too."""
    groups = report.groups(
        [record("BAM", "cross_entropy", curve=(), **made), record("BAGM", "zero", 1, curve=(), **made)]
    )
    reader = Reader(page.page(groups))
    printed = [
        line for line in report.text(groups[0]).splitlines() if re.fullmatch(r"[A-Za-z].{60,}\.", line)
    ]
    assert printed and all(line in reader.text for line in printed)


def test_training_counts_come_from_every_speaker_fold_or_are_unknown():
    """Folds are sessions here; the next session validates, so training has the three others."""
    sessions = [[classes[e] for e in EMOTIONS] for classes in iemocap.EXPECTED.values()]
    made = {"corpus": "table", "preset": "cpu", "split": "speaker"}
    folds = []
    for fold, classes in enumerate(sessions):
        one = record("BAM", "cross_entropy", fold=fold, confusion=np.diag(classes), curve=(), **made)
        after = sum(sessions[(fold + 1) % 5])
        one["utterances"] = {"train": 4490 - sum(classes) - after, "validation": after, "test": sum(classes)}
        folds.append(one)
    _, reader = read(folds)
    three = [str(sum(classes[k] for classes in sessions[2:])) for k in range(4)]
    assert cells_of(reader, "fold 0", 12)[0][1:7] == [*three, "2,735", "813"]
    _, reader = read(folds[:1])
    assert cells_of(reader, "fold 0", 7)[0][1:7] == ["?", "?", "?", "?", "2,735", "813"]
    assert "Here neither fits" in reader.text


def test_a_hostile_name_is_text(tmp_path):
    (tmp_path / "NOTE.txt").write_text(HOSTILE.replace("\ud800", ""))
    records = [record("BAM", "cross_entropy", corpus=HOSTILE), record("BAGM", "zero", corpus=HOSTILE)]
    text, reader = read(records, tmp_path)
    text.encode()
    assert "<img src=x" not in text and "\x00" not in text and text.count("</title>") == 1
    assert reader.text.count("<img src=x onerror=alert(1)>") > 8
    assert not any(name.startswith("on") for _, attrs in reader.seen for name in attrs)


def test_the_page_loads_nothing_and_can_be_read_without_eyes():
    records = paper_records() + [
        record("BAM", "cross_entropy", split="speaker", fold=fold) for fold in range(5)
    ]
    text, reader = read(records)
    tags = [tag for tag, _ in reader.seen]
    assert not {"script", "link", "iframe", "object"} & set(tags) and not re.search(
        r"https?:|url\(|@import", text
    )
    assert all(attrs["src"].startswith("data:") and len(attrs["alt"]) > 100
               for tag, attrs in reader.seen if tag == "img") and tags.count("img") == 2  # fmt: skip
    svg = [base64.b64decode(attrs["src"].partition(",")[2]) for tag, attrs in reader.seen if tag == "img"]
    assert all(b"</svg>" in picture and b"<script" not in picture for picture in svg)
    levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and max(np.diff(levels)) == 1 and levels.count(1) == 1
    assert len(set(reader.ids)) == len(reader.ids)
    links = {attrs["href"] for tag, attrs in reader.seen if tag == "a"}
    assert {link[1:] for link in links} <= set(reader.ids) and "#g2-table3" in links and "#splits" in links
    assert all(len(set(rows)) == 1 for rows in reader.tables)  # every row as wide as its table
    assert dict(reader.seen)["html"] == {"lang": "en"} and tags.count("caption") == tags.count("table")
    boxes = [attrs for tag, attrs in reader.seen if attrs.get("class") == "scroll"]
    assert len(boxes) == tags.count("table") + 2 and all(box["tabindex"] == "0" for box in boxes)


@pytest.fixture
def store(tmp_path):
    for one in (record("BAM", "cross_entropy"), record("BAGM", "zero", curve=())):
        results.write(tmp_path, one)
    return tmp_path


def test_the_command_writes_the_page_and_says_where(store, capsys):
    (store / "NOTE.txt").write_text("Not speech & not a result.")
    assert main(["report", str(store)]) == 0
    assert str(store / "report.html") in capsys.readouterr().out.splitlines()[-1]
    text = (store / "report.html").read_text()
    assert "Not speech &amp; not a result." in text and str(store) not in text
    assert main(["report", str(store), "--json", "--html", str(store / "new" / "a.html")]) == 0
    assert (store / "new" / "a.html").read_text() == text and json.loads(capsys.readouterr().out)


def test_a_store_without_records_or_with_a_damaged_one_leaves_no_page(store, tmp_path_factory, capsys):
    empty = tmp_path_factory.mktemp("empty")
    assert main(["report", str(empty)]) == 1 and not list(empty.iterdir())
    assert "holds no records" in capsys.readouterr().err
    path = next(store.glob("*.json"))
    without = json.loads(path.read_text())
    del without["curve"], without["sha256"]
    for damaged, words in ((json.dumps(without), "it has no curve"), (path.read_text()[:99], "is damaged")):
        path.write_text(damaged)
        assert main(["report", str(store)]) == 1
        out, err = capsys.readouterr()
        assert out == "" and words in err and len(err.splitlines()) == 1
        assert not list(store.glob("*.html*")) and not (store / "figures").exists()


def test_a_name_that_looks_like_a_formula_can_be_drawn(tmp_path, capsys):
    results.write(tmp_path, record("BAM", "cross_entropy", corpus="$\\frac{$"))
    assert main(["report", str(tmp_path)]) == 0 and "$\\frac{$" in (tmp_path / "report.html").read_text()


def test_a_place_that_cannot_be_written_is_one_sentence(store, capsys):
    (store / "file").touch()
    assert main(["report", str(store), "--figures", str(store / "file")]) == 1
    assert "--figures" in (err := capsys.readouterr().err) and len(err.splitlines()) == 1
    with pytest.raises(SerganError, match=r"cannot be written .*--html"):
        page.write(report.groups(results.read(store)), store)
    assert not list(store.parent.glob("*.part"))


def test_the_rehearsals_imitation_has_iemocaps_counts_and_lengths(tmp_path):
    """benchmarks/iemocap_rehearsal.py makes the records of a page without a licence; never in somebody's folder."""
    path = Path(__file__).parents[1] / "benchmarks" / "iemocap_rehearsal.py"
    spec = importlib.util.spec_from_file_location("iemocap_rehearsal", path)
    rehearsal = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(rehearsal)
    rows = list(rehearsal.utterances())
    assert len({name for _, _, name, _, _ in rows}) == 4490 and rows == list(rehearsal.utterances())
    counts = Counter((session, iemocap.EMOTIONS[code]) for session, _, _, code, _ in rows)
    assert counts == {
        (s, e): count for s, classes in iemocap.EXPECTED.items() for e, count in classes.items()
    }
    lengths_s = np.array([row[-1] for row in rows])
    assert (
        lengths_s.min() == 0.7 and lengths_s.max() <= 32 and lengths_s.mean() == pytest.approx(4.5, abs=0.05)
    )
    assert np.mean(lengths_s > 5.12) == pytest.approx(0.297, abs=0.001)
    (tmp_path / "Session1").mkdir()
    with pytest.raises(SystemExit, match="holds other files"):
        rehearsal.prepare(tmp_path, again=False)
