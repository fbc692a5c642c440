"""The preflight's verdict on a corpus on disk."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pandas as pd
from tabulate import tabulate

from sergan import EMOTIONS, leaks, one_line

#: Of one kind of problem, no more sentences than this; the rest is counted.
SENTENCES = 5


@dataclass(frozen=True, eq=False)
class Check:
    """What is there of a corpus, against what should be.

    `table`: index (group, emotion), the group being a session or a speaker, columns `expected` (missing where
    nothing is published) and `found`, in utterances of the four classes that have audio. `complete`: all of
    them are there and readable, and none that should not be. `problems`: a sentence each, with what to do.
    `notes`: what is as published and can still mislead, see `leaks`.
    """

    name: str
    table: pd.DataFrame
    problems: list[str]
    notes: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        return not self.problems

    @classmethod
    def of(
        cls,
        name: str,
        utterances: pd.DataFrame,
        expected: dict[str, dict[str, int]],
        problems: list[str],
        durations: Callable[[list[str]], list],
        remedy: str = "",
    ) -> "Check":
        """Compare the `utterances` found with the counts `expected` (group -> class -> utterances)."""
        four = utterances[utterances["emotion"].isin(EMOTIONS)]
        heard = four[four["file"] != ""]
        # Only a corpus of sessions can be there without a single utterance: its folders are.
        by_session = utterances.empty or (utterances["session"] != "").any()
        kind = "session" if by_session else "speaker"
        groups = heard[kind]
        if list(expected) == ["all"]:
            groups = pd.Series("all", index=heard.index, dtype=str)
        counts = heard.groupby([groups.rename("group"), "emotion"]).size()
        names = sorted({*expected, *groups})
        index = pd.MultiIndex.from_product([names, EMOTIONS], names=["group", "emotion"])
        table = pd.DataFrame(
            {
                "expected": [expected.get(group, {}).get(emotion, 0) for group, emotion in index],
                "found": counts.reindex(index, fill_value=0).astype(int).to_numpy(),
            },
            index=index,
        )
        if not expected:
            table["expected"] = pd.array([pd.NA] * len(table), dtype="Int64")

        problems = list(problems)
        absent = four.index[four["file"] == ""]
        if len(absent):
            problems.append(
                f"{len(absent)} labelled utterances have no audio, the first is {absent[0]}: {remedy}."
            )
        files = heard["file"].tolist()
        lengths = durations(files)
        problems += _few([text for text in lengths if isinstance(text, str)])
        if expected:
            problems += _few(_differences(table, kind, remedy))
        if heard.empty and not problems:
            problems.append("There is no utterance of the four classes.")
        notes = leaks.of_corpus(files, lengths, heard["emotion"].tolist(), heard.index.tolist())
        return cls(name, table, problems, notes)

    def text(self) -> str:
        """The verdict for the terminal: counts by group and class, then the problems."""
        wide = self.table["found"].unstack("emotion").reindex(columns=list(EMOTIONS)).astype(str)
        known = self.table["expected"].notna()
        for (group, emotion), row in self.table[known].iterrows():
            if row["found"] != row["expected"]:
                wide.loc[group, emotion] = f"{row['found']} of {row['expected']}"
        wide["all"] = self.table["found"].groupby("group").sum().astype(str)
        if len(wide) > 1:
            sums = self.table["found"].groupby("emotion").sum().reindex(EMOTIONS)
            wide.loc["all"] = [*sums.astype(str), str(self.table["found"].sum())]
        wide.index = [one_line(group, 40) for group in wide.index]
        lines = [tabulate(wide, headers=[self.name, *wide.columns], stralign="right", disable_numparse=True)]
        return "\n".join([*lines, "", *(self.problems or ["Complete."]), *self.notes])

    def as_dict(self) -> dict:
        """The verdict as plain data: `corpus, complete, problems, notes, counts` (a row per group and class)."""
        rows = self.table.reset_index().astype(object)
        rows = rows.where(rows.notna(), None)
        return {
            "corpus": self.name,
            "complete": self.complete,
            "problems": list(self.problems),
            "notes": list(self.notes),
            "counts": rows.to_dict(orient="records"),
        }


def _differences(table: pd.DataFrame, kind: str, remedy: str) -> list[str]:
    """A sentence for every group, or class in it, whose count is not the published one."""
    sentences = []
    for group, rows in table.groupby(level="group"):
        place = "" if group == "all" else f"{kind} {group}"
        if rows["found"].sum() == 0:
            sentences.append(
                f"{place or 'The corpus'} is missing, "
                f"{rows['expected'].sum()} utterances of the four classes: {remedy}."
            )
            continue
        if rows["expected"].sum() == 0:
            sentences.append(f"{place} is not in the published corpus: move its files away.")
            continue
        for (_, emotion), row in rows.iterrows():
            short = row["expected"] - row["found"]
            where = ", ".join(filter(None, (place, emotion)))
            if short > 0:
                sentences.append(f"{where}: {short} of {row['expected']} utterances are missing: {remedy}.")
            elif short < 0:
                sentences.append(
                    f"{where}: {-short} utterances more than the published {row['expected']}: "
                    "move what is not of this version away."
                )
    return [sentence[0].upper() + sentence[1:] for sentence in sentences]


def _few(sentences: list[str]) -> list[str]:
    if len(sentences) <= SENTENCES:
        return sentences
    return [*sentences[:SENTENCES], f"And {len(sentences) - SENTENCES} more of this kind."]
