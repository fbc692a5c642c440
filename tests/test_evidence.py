"""The landing page's figure: the plan's pairs, and words that follow from intervals by rule."""

import re
from pathlib import Path

import pytest
from test_plan import full
from test_report import made

from sergan import evidence
from sergan.plots import evidence as plots

ROOT = Path(__file__).parents[1]


def test_rows_are_the_plans_contrasts_and_what_is_missing_is_missing():
    found = evidence.rows(list(full(effect=4)))
    rows = {(r["contrast"], r["corpus"], r["split"]): r for r in found}
    assert len(rows) == 3 * 3 * 2 + 3
    fused = rows["fused", "nemo", "speaker"]
    assert fused["wa"][0] == pytest.approx(4.5) and fused["pairs"] == 27 and fused["seeds"] == [0, 1, 2]
    assert len(fused["used"]) == 54
    assert rows["placebo", "nemo", "speaker"]["wa"][0] == pytest.approx(4 / 9)
    assert rows["tuned", "nemo", "speaker"]["wa"][0] == pytest.approx(4.5)
    assert evidence.outcome(rows["zero", "nemo", "speaker"]) == "missing"
    assert evidence.outcome(rows["fused", "emodb", "paper"]) == "missing"


@pytest.mark.parametrize(("wa", "verdict", "kind"), [
    (None, None, "missing"),
    ((3.0, None, None), None, "single"),
    ((3.0, 1.0, 5.0), "different", "gain"),
    ((-3.0, -5.0, -1.0), "different", "loss"),
    ((0.1, -0.5, 0.7), "within ±1.86", "same"),
    ((0.1, -5.0, 5.2), "undecided", "open"),
])  # fmt: skip
def test_words_follow_from_the_interval(wa, verdict, kind):
    row = {"wa": wa, "verdict": verdict}
    assert evidence.outcome(row) == kind
    assert evidence.said(row).startswith(evidence.IN_WORDS[kind].split(":")[0])


def test_an_equivalence_is_told_from_real_verdicts():
    same = [made(name, 50 + fold + (0.1 * (fold % 2) if "G" in name else 0), fold=fold,
                 objective="fused" if "G" in name else "cross_entropy")
            for fold in range(9) for name in ("BAM", "BAGM")]  # fmt: skip
    row = evidence.rows(same)[0]
    assert row["contrast"] == "fused" and evidence.outcome(row) in ("same", "gain")
    assert "within" in row["verdict"]


@pytest.mark.parametrize("effect", [4, -20, None])
def test_sentence_caption_and_alt_text_come_from_the_records(effect):
    found = evidence.rows([] if effect is None else list(full(effect)))
    said, alt, caption = evidence.sentence(found), evidence.alt(found), evidence.caption(found)
    if effect is None:
        assert "not run yet" in said and "no seed yet, 0 records" in caption
    else:
        words = "more right answers: +4.5" if effect == 4 else "fewer right answers: −19.5"
        assert (
            words in said
            and "nEMO, unseen speakers" in alt
            and f"{effect + 0.5:+.1f}".replace("-", "−") in alt
        )
        assert "3 seeds" in caption and "at most 27 pairs" in caption
        assert "Not all planned runs" not in said
    assert "\n" not in alt and plots.landing(found, evidence.CONTRASTS, evidence.CORPORA).axes


def test_the_landing_page_has_the_figure_and_a_page_without_a_place_for_it_has_none(tmp_path):
    import _pages as pages

    (tmp_path / "book").mkdir()
    (tmp_path / "results").mkdir()
    index = tmp_path / "book" / "index.md"
    index.write_text("# Small\n")
    assert pages.landing(tmp_path) == "# Small\n"
    index.write_text(f"# Small\n\n{pages.EVIDENCE}\n")
    text = pages.landing(tmp_path)
    assert re.search(r"\{figure\} data:image/webp;base64,\S+\n:alt: .{40,}\n", text)
    assert "What the evidence is now" in text
    assert pages.EVIDENCE in (ROOT / "book" / "index.md").read_text()
