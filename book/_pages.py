"""Pages of the book that a program writes from what there is: corpora, modules, records, run times."""

import ast
import importlib
import importlib.metadata
import inspect
import json
import re
from collections import Counter
from pathlib import Path

from sergan import EMOTIONS, corpora, report, results
from sergan.experiments import BASELINES


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
    order = ["corpora", "features", "data", "models", "objectives", "regularisers", "evaluation", "config", "engine",
             "negatives", "training", "results", "experiments", "plots", "widgets", "predictions", "report", "plan",
             "checks", "prediction", "plain"]  # fmt: skip
    parts = [
        "# The package",
        "Every public name of `sergan`, module by module, in the order in which they build on each other. "
        "`help(name)` in Python says all of it: shapes, units, errors, examples.",
    ]
    for name in order:
        module = importlib.import_module(f"sergan.{name}")
        path = top / name / "__init__.py" if (top / name).is_dir() else top / f"{name}.py"
        tree, rows = ast.parse(path.read_text(encoding="utf-8")), []
        for node in tree.body:
            if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_"):
                continue
            thing = getattr(module, node.name)
            kind = "class" if isinstance(node, ast.ClassDef) else "function"
            rows.append((f"`{node.name}`", kind, first_line(thing)))
        parts += [
            f"## `sergan.{name}`",
            first_line(module),
            *([table(["name", "", ""], rows)] if rows else []),
        ]
    return "\n\n".join(parts) + "\n"


def commas(values):
    return ", ".join(str(value) for value in sorted(set(values), key=str))


def numbers(root):
    """Appendix: which records there are, and what made them."""
    store = root / "results" if (root / "results").is_dir() else results.published()
    records = results.read(store)
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
        head = ["", "reading", "control", "runs", "folds", "seeds", "revision"]
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
        "The second prints all tables and writes them as a page. [The plan](plan) says what is tested, and what "
        "was changed when.",
    ]
    return "\n\n".join(parts) + "\n"


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


MAKERS = {
    "book/corpora": corpus_sheets,
    "book/reference": reference,
    "book/numbers": numbers,
    "book/execution": execution,
}
