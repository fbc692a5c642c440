"""Pages of the book that a program writes from what there is: corpora, modules, records, run times."""

import ast
import importlib
import importlib.metadata
import inspect
import json
import re
from collections import Counter
from functools import cache, partial
from pathlib import Path

import _korean
import yaml

from sergan import EMOTIONS, corpora, evaluation, evidence, examine, report, results, widgets
from sergan.augmentation import Augmentation
from sergan.config import PRESETS
from sergan.coursework import assignments as coursework
from sergan.coursework import notebooks
from sergan.coursework.questions import EXAMPLE
from sergan.experiments import BASELINES
from sergan.plots import evidence as evidence_plots
from sergan.plots import trust as trust_plots


def table(head, rows):
    """A Markdown table; a bar inside a cell would end it."""
    cells = [[str(cell).replace("|", "\\|").replace("\n", " ") for cell in row] for row in (head, *rows)]
    lines = [f"| {' | '.join(row)} |" for row in cells]
    return "\n".join([lines[0], "|" + "---|" * len(head), *lines[1:]])


def corpus_sheets(root):
    """Appendix: what each corpus is."""
    parts = [
        "# Corpora",
        "What `sergan.corpora` knows of each corpus, written from its module. Counts are of the four classes "
        f"({', '.join(EMOTIONS)}). Chapter 1 says what each is good for, and what not.",
    ]
    for name in corpora.NAMES:
        if name == "table":
            continue
        facts = corpora.describe(name)
        counts = facts["counts"]
        rows = [
            ("language", facts["language"]),
            *((emotion, f"{counts[emotion]:,}") for emotion in EMOTIONS),
            ("all four", f"{sum(counts.values()):,}"),
            ("licence", facts["licence"]),
        ]
        if facts["homepage"]:
            rows.append(("where", f"<{facts['homepage']}>"))
        rows.append(("to get it", "comes with the package" if name == "demo" else
                     f"`sergan fetch {name}`" if facts["fetchable"] else "on request from its owners"))  # fmt: skip
        parts += [
            f"## {facts['title']} (`{name}`)",
            table(["", ""], rows),
            f"```bibtex\n{facts['citation']}\n```",
        ]
    parts += [
        "## Your own (`table`)",
        "A CSV file with the columns `file`, `emotion` and `speaker` is a corpus: "
        "`sergan run --corpus table --root my.csv`.",
    ]
    return "\n\n".join(parts) + "\n"


def first_line(thing):
    text = (inspect.getdoc(thing) or "").partition("\n\n")[0]
    return re.sub(r"\s+", " ", re.sub(r"\\[()]", "$", text))


def reference(root):
    """Appendix: every public name of the package, with the first sentence of its documentation."""
    top = Path(importlib.import_module("sergan").__file__).parent
    order = ["paper", "files", "leaks", "corpora", "features", "data", "hard_lstm", "models", "objectives",
             "regularisers", "imbalance", "evaluation", "config", "engine", "randomness", "negatives",
             "augmentation", "checkpoints", "divergence", "training", "results", "experiments", "plots",
             "widgets", "predictions", "report", "contribution", "plan", "multiverse", "evidence", "examine",
             "page", "checks", "coursework", "prediction", "plain", "bench"]  # fmt: skip
    parts = [
        "# The package",
        "Every public name of `sergan`, module by module, in the order in which they build on each other. "
        "Names that begin with a capital are classes, the others functions. `help(name)` in Python says all of it: "
        "shapes, units, errors, examples.",
    ]
    for name in order:
        module = importlib.import_module(f"sergan.{name}")
        path = top / name / "__init__.py" if (top / name).is_dir() else top / f"{name}.py"
        tree, rows = ast.parse(path.read_text(encoding="utf-8")), []
        for node in tree.body:
            if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_"):
                continue
            thing = getattr(module, node.name)
            said = first_line(thing) or "of " + ", ".join(
                f"`{name}`" for name in inspect.signature(thing).parameters
            )
            rows.append((f"`{node.name}`", said))
        parts += [
            f"## `sergan.{name}`",
            first_line(module),
            *([table(["name", "what it is"], rows)] if rows else []),
        ]
    return "\n\n".join(parts) + "\n"


def commas(values):
    r"""What there is, in order; whole numbers without a gap as a range.

    >>> commas([2, 0, 1, 1]), commas([0, 2]), commas(["b", "a"])
    ('0\xa0to\xa02', '0, 2', 'a, b')
    """
    found = sorted(set(values), key=lambda value: (isinstance(value, str), value))
    if len(found) > 2 and all(isinstance(v, int) for v in found) and found[-1] - found[0] == len(found) - 1:
        return f"{found[0]}\u00a0to\u00a0{found[-1]}"
    return ", ".join(map(str, found))


def numbers(root):
    """Appendix: which records there are, and what made them."""
    store = root / "results" if (root / "results").is_dir() else results.published()
    apart = store / "augmented"
    records = results.read(store) + (results.read(apart) if apart.is_dir() else [])
    runs = [r for r in records if r["ablation"] not in BASELINES]
    hours = sum(r["time_s"] for r in runs) / 3600
    parts = [
        "# How every number was made",
        "No score in this book was typed. Every chapter computes what it says in its cells, from the demo corpus or "
        "from nothing; chapters 4 and 7 to 11 also read *records*. A record is a small file that one run wrote: its "
        "configuration, its scores, its learning curve, the versions, the revision of the code. Beside it lie the "
        "answers to every test utterance. All of them are in the folder `results/` and come with the package.",
        f"There are {len(records)} records: {len(runs)} training runs, which took {hours:.1f} hours of computing in "
        f"all, and {len(records) - len(runs)} baselines.",
    ]
    for group in report.groups(records):
        rows = []
        for (ablation, objective, control), some in report.rows(group["records"]).items():
            rows.append((ablation, objective or "", control.replace("none", ""), len(some),
                         commas(r["fold"] for r in some) if group["split"] == "speaker" else "",
                         commas(r["seed"] for r in some if r["seed"] is not None),
                         commas(r["revision"] or "unknown" for r in some)))  # fmt: skip
        head = ["program", "reading", "control", "runs", "folds", "seeds", "revision"]
        parts += [f"## `{group['corpus']}`{group['title'].removeprefix(group['corpus'])}", table(head, rows)]
    devices = Counter((r["device"], r["precision"], r["threads"]) for r in runs if "precision" in r)
    parts += [
        "## On what",
        table(
            ["device", "precision", "threads", "runs"],
            [(*key, count) for key, count in devices.most_common()],
        ),
        "## Again",
        "The runs are listed, in their order, in `results/plan.toml` and `results/plan_random.toml`. What a store "
        "has is not computed again, so the first command adds what is missing:",
        "```\nsergan run --sweep results/plan.toml --seeds 1 --store results --no-weights\n"
        "sergan report results\n```",
        "The second prints all tables and writes them as a page. The folder `results/augmented/` has what "
        "`sergan examine` added for [two augmentations](find_the_fake_gain). [The plan](plan) says what is "
        "tested, and what "
        "was changed when.",
    ]
    return "\n\n".join(parts) + "\n"


def examined(root):
    """What `sergan examine` found of the guide's two examples, from records: conclusions and tables."""
    store = root / "results" if (root / "results").is_dir() else results.published()
    parts, arms = [], {}
    others = results.read(store / "augmented") if (store / "augmented").is_dir() else []
    for name in ("mixup", "masking"):
        identity = Augmentation.of(f"{root / 'book' / 'examples' / 'augmentations.py'}:{name}").identity
        ours = [r for r in others if r["config"]["augmentation"] == identity]
        if not ours:
            parts += [f"### {name}", "Its runs are not done yet."]
            continue
        found = examine.look(examine.beside(results.read(store), ours), PRESETS[ours[0]["preset"]].lr)
        (title, (head, rows)), *rest = examine.tables(found).items()
        arms |= {tuple(row): (title, head) for row in rows}
        usual, tuned = (report.spread(found["contrasts"][k]["wa"], "+") for k in (0, 1))
        parts += [f"### {name}", f"**{found['conclusion']}**",
                  f"Who runs one rate and no controls reports {usual} points at the preset's rate of {found['lr']:g}, "
                  f"and often only the first of these numbers. With both arms tuned it is {tuned}."]  # fmt: skip
        for heading, (columns, lines) in rest:
            parts += [f"{heading}:", table(columns, lines)]
    if arms:
        title, head = next(iter(arms.values()))
        parts = [f"{title}:", table(head, arms), *parts]
    return "\n\n".join(parts)


def fake_gain(root):
    """The guide to `sergan examine`: its text, with the rule, what the examples gave and how many speakers it takes."""
    text = (root / "book" / "find_the_fake_gain.md").read_text(encoding="utf-8")
    bound = evaluation.BOUND
    needed = [(sd, f"{100 * evaluation.power(bound, sd, 10):.0f} %", evaluation.units_needed(bound, sd))
              for sd in (1, 2, 4, 8)]  # fmt: skip
    made = {
        "rule": table(["if we see", "we say"], [(seen, said.format(controls="*controls*"))
                                                for seen, said in examine.RULE.values()]),
        "examined": examined(root),
        "power": table(["sd of the difference between speakers, points",
                        f"chance that ten speakers show {bound:g}", "speakers for 80 %"], needed),
    }  # fmt: skip
    for name, content in made.items():
        text = text.replace(f"<!-- {name} -->", content)
    return text


def teachers(root):
    """The teacher's guide: its text, with what each assignment asks and what copied solutions earn."""
    text = (root / "book" / "teachers.md").read_text(encoding="utf-8")
    rows, earned = [], []
    measured = json.loads((root / "results" / "measured" / "pasted.json").read_text(encoding="utf-8"))
    for name in coursework.NAMES:
        one = coursework.load(name)
        cells = [
            cell.metadata["nbgrader"] for cell in notebooks.source(one).cells if "nbgrader" in cell.metadata
        ]
        by_hand = sum(about["points"] for about in cells if about.get("grade") and about.get("solution"))
        by_code = sum(question.points for question in one.asked(one.variant(EXAMPLE)))
        rows.append((one.number, one.title, by_code, by_hand, ", ".join(f"`{c}`" for c in one.constants),
                     ", ".join(f"{kind} ({len(options)})" for kind, options in one.kinds.items())))  # fmt: skip
        found = measured["assignments"][name]
        earned.append((one.number, found["points"], *(f"{sum(some) / len(some):.1f} ({min(some):g} to {max(some):g})"
                                                      for some in (found["understood"], found["unread"]))))  # fmt: skip
    made = {
        "assignments": table(["", "assignment", "points by code", "by rubric", "constants drawn", "questions in kind "
                              "(options)"], rows),
        "pasted": table(["", "points by code", "copied and understood", "copied unread"], earned)
        + f"\n\nMean, and least to most, over {len(measured['seeds'])} course seeds (`benchmarks/pasted.py`).",
    }  # fmt: skip
    for name, content in made.items():
        text = text.replace(f"<!-- {name} -->", content)
    return text


def all_of(good, made):
    """
    >>> all_of(60, 60), all_of(59, 60)
    ('60', '**59 of 60**')
    """
    return f"{made:,}" if good == made else f"**{good:,} of {made:,}**"


def trust(root):
    """What was tried to break the program: the text, with the counts that `make torture` left in `benchmarks/`."""
    text = (root / "book" / "trust.md").read_text(encoding="utf-8")
    torture, fuzz, soak = (
        json.loads((root / "benchmarks" / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("torture", "fuzz", "soak")
    )

    def sums(rows):
        return [sum(row[what] for row in rows) for what in ("good", "made")]

    faults = {tuple(row.split(": ")): counts for row, counts in torture["faults"].items()}
    parts, kinds = (list(dict.fromkeys(names)) for names in zip(*faults, strict=True))
    rows = [[kind, *(all_of(*sums([faults[part, kind]])) if (part, kind) in faults else "" for part in parts)]
            for kind in kinds]  # fmt: skip
    rows.append(["all", *(all_of(*sums([c for (p, _), c in faults.items() if p == part])) for part in parts)])
    good, made = sums(faults.values())
    fed = [(name.replace("-", ", "), f"{fuzz[name]['hypothesis'] + fuzz[name]['atheris']:,}",
            f"{fuzz[name]['read']:,}", f"{fuzz[name]['refused']:,}", len(counts["bad"]))
           for name, counts in torture["fuzz"].items() if name in fuzz]  # fmt: skip
    tried = sum(found["hypothesis"] + found["atheris"] for found in fuzz.values())
    mutants = []
    for row, counts in torture["mutants"].items():
        module, possible = row.removesuffix(" possible").rsplit(", ", 1)
        share = 100 * counts["good"] / counts["made"]
        mutants.append((f"`{module}`", possible, counts["made"], counts["good"], f"{share:.0f} %"))
    noticed, put_in = sums(torture["mutants"].values())
    flat = []
    for name, found in soak.items():
        early, late = (
            [min(found[what][some]) for what in ("megabytes", "files")]
            for some in (slice(10, 20), slice(-10, None))
        )
        runs = found["every"] * len(found["megabytes"])
        flat.append((name, f"{runs:,}", f"{early[0]:.0f}", f"{late[0]:.0f}", early[1], late[1]))
    hours = sum(counts["seconds"] for rows in torture.values() for counts in rows.values()) / 3600
    kept = [path for path in (root / "tests" / "torture" / "corpus").glob("*/*") if path.is_file()]
    made_of = {
        "hours": f"more than {int(hours)} hours",
        "faults": f"**{made:,} faults, {good:,} survived.** A number alone: so many, and all survived.\n\n"
        + table(["", *parts], rows),
        "fuzz": f"**{tried:,} inputs.**\n\n" + table(["what is read", "inputs", "read", "refused", "findings"], fed),
        "kept": f"What earlier rounds found has been mended; {len(kept)} inputs that did it are kept in "
        "`tests/torture/corpus`, and every run of the tests tries them again.",
        "mutants": f"**{put_in:,} mutants, {100 * noticed / put_in:.1f} % of them noticed or explained.** Where fewer "
        "were tried than are possible, they were drawn at random.\n\n"
        + table(["module", "possible", "tried", "noticed or explained", ""], mutants),
        "soak": "\n".join([
            f"```{{figure}} {widgets.picture(trust_plots.soak(soak))}", ":name: fig-soak",
            ":alt: Lines of the memory that sweeps need over 2,000 runs, and of their open files; the table below has "
            "the numbers.", "",
            "Memory and open files of all processes of a sweep, after every tenth run. Tiny networks on random "
            "features: no corpus, no score.", "```", "",
            table(["sweep", "runs", "MB, second hundred", "MB, last hundred", "files, second hundred",
                   "files, last hundred"], flat),
        ]),
    }  # fmt: skip
    for name, content in made_of.items():
        text = text.replace(f"<!-- {name} -->", content)
    return text


EVIDENCE = "<!-- evidence -->"
"""Where the landing page has its figure."""


@cache
def evidence_now(root):
    """What the records of `root` say, and its picture."""
    store = root / "results" if (root / "results").is_dir() else results.published()
    rows = evidence.rows(results.read(store), store)
    return rows, widgets.picture(evidence_plots.landing(rows, evidence.CONTRASTS, evidence.CORPORA))


def landing(root, said=evidence):
    """The landing page: its text, with what the evidence is now as a figure and a sentence, in the words of `said`."""
    text = (root / "book" / "index.md").read_text(encoding="utf-8")
    if EVIDENCE not in text:
        return text
    rows, drawn = evidence_now(root)
    parts = [f"```{{figure}} {drawn}", f":alt: {said.alt(rows)}", ":width: 506px", "", said.caption(rows),
             "```", "", said.sentence(rows)]  # fmt: skip
    return text.replace(EVIDENCE, "\n".join(parts))


def execution(root):
    """Appendix: how long each chapter runs, how much it weighs, and with which versions."""
    times = json.loads((root / "book" / "times.json").read_text(encoding="utf-8"))
    rows = []
    for path in sorted((root / "book").glob("[0-9]*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = sum(cell["cell_type"] == "code" for cell in cells)
        title = "".join(cells[0]["source"]).splitlines()[0].lstrip("# ")
        spent = f"{times[path.stem]:.0f} s" if path.stem in times else "not measured"
        rows.append(
            (f"[{title}]({path.stem})", len(cells), code, spent, f"{path.stat().st_size / 1e6:.2f} MB")
        )
    total = sum(times.values())
    pins = re.findall(
        r"^([\w.-]+)==(\S+)", (root / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE
    )
    shown = ("torch", "numpy", "scipy", "pandas", "scikit-learn", "statsmodels", "opensmile", "matplotlib",
             "ipywidgets", "jupyter-book", "sphinx", "myst-nb", "nbval")  # fmt: skip
    versions = {
        name: " or ".join(v for n, v in pins if n == name) for name, _ in pins if name.lower() in shown
    }
    return "\n\n".join([
        "# Execution",
        "Every chapter is executed from top to bottom whenever its outputs are stored, and again by every run of the "
        "tests, which compare what its cells print with what is stored.",
        table(["chapter", "cells", "of code", "run time", "notebook"], rows),
        f"All chapters one after the other: {total:.0f} s, on two processor cores, without a graphics card.",
        "## Versions",
        "Those that `make setup` installs, with which the outputs were made (one of two where that depends on "
        "Python's own version); `constraints.txt` has them all.",
        table(["package", "version"], versions.items()),
    ]) + "\n"  # fmt: skip


def bibtex(key, kind, fields):
    """A BibTeX entry of the fields that are known.

    >>> print(bibtex("a", "misc", {"title": "A {GAN}", "year": ""}))
    @misc{a,
      title = {A {GAN}},
    }
    """
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@{kind}{{{key},", *lines, "}"])


def initials(authors):
    """Authors as APA lists them: family name first, then initials, the last one after an ampersand.

    >>> initials([{"family-names": "Ko", "given-names": "You-Jung"}, {"family-names": "Lee", "given-names": "Ann B"}])
    'Ko, Y.-J., & Lee, A. B.'
    """
    given = [re.sub(r"(\w)\w*", r"\1.", one["given-names"]) for one in authors]
    names = [f"{one['family-names']}, {first}" for one, first in zip(authors, given, strict=True)]
    return ", & ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def cite(root):
    """Appendix: how to cite the book and its paper, from `CITATION.cff` and from what is known of this edition."""
    from _ext.repository import about, git  # beside this file; sergan has no need of it

    here = about(root)
    cff = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    year = str(cff.get("date-released") or git(root, "log", "-1", "--format=%cs"))[:4]
    author, title, where = cff["authors"][0]["name"], cff["title"], here.pages or here.repository
    revision = f"revision {here.revision[:7]}" if here.revision else ""
    article = cff["references"][0]
    pages = [str(article["start"]), str(article["end"])]
    doi = article.get("doi", "")
    book = bibtex("sergan", "misc", {
        "author": f"{{{author}}}", "title": f"{{{title}}}", "year": year, "version": cff["version"],
        "note": f"Version {cff['version']}" + (f", {revision}" if revision else ""), "url": where,
    })  # fmt: skip
    paper = bibtex("ko2019", "article", {
        "author": " and ".join(f"{one['family-names']}, {one['given-names']}" for one in article["authors"]),
        "title": re.sub(r"\b[A-Z]{2,}\b", r"{\g<0>}", article["title"]), "journal": article["journal"],
        "volume": article["volume"], "number": article["issue"], "pages": "--".join(pages), "year": article["year"],
        "doi": doi, "note": article["notes"],
    })  # fmt: skip
    book_apa = f"{author}. ({year or 'n.d.'}). {title} (Version {cff['version']}) [Computer software]." + (
        f" {where}" if where else ""
    )
    paper_apa = (
        f"{initials(article['authors'])} ({article['year']}). {article['title']}. {article['journal']}, "
        f"{article['volume']}({article['issue']}), {'–'.join(pages)}."
        + (f" https://doi.org/{doi}" if doi else "")
    )
    known = f"This edition is version {cff['version']}" + (f", {revision}" if revision else "") + "."

    def block(kind, text):
        return f"```{{code-block}} {kind}\n:class: reference-text\n{text}\n```"

    return "\n\n".join([
        "# Cite this book",
        "If you use the book, its package or its records, please cite the book, and the paper that it teaches. "
        "The button at the corner of a box copies it.",
        known + " The file `CITATION.cff` in the repository says the same for programs that read it.",
        "## The book", "As BibTeX:", block("bibtex", book), "In the style of the APA:", block("text", book_apa),
        "## The paper", "As BibTeX:", block("bibtex", paper), "In the style of the APA:", block("text", paper_apa),
        "The paper itself is in Korean. What else the chapters cite is in the [bibliography](bibliography); how each "
        "corpus wants to be cited stands on its [sheet](corpora).",
    ]) + "\n"  # fmt: skip


MAKERS = {
    "book/cite": cite,
    "book/find_the_fake_gain": fake_gain,
    "book/index": landing,
    "book/teachers": teachers,
    "book/trust": trust,
    "book/corpora": corpus_sheets,
    "book/reference": reference,
    "book/numbers": numbers,
    "book/execution": execution,
}

#: The same in Korean, where a catalogue cannot know the numbers; the rest of such a page is translated by its `.po`.
KOREAN_MAKERS = {"book/index": partial(landing, said=_korean)}
