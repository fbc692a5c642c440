"""The command line: `sergan COMMAND ...`, also `python -m sergan COMMAND ...`."""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import re
import sys
import warnings
from pathlib import Path

from sergan import ABLATIONS, SerganError, __version__
from sergan import bench as benchmarks
from sergan.config import PRESETS
from sergan.corpora import NAMES


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns its exit code. A user's mistake is one sentence on stderr and exit code 1."""
    warnings.formatwarning = lambda message, *_, **__: f"sergan: note: {message}\n"
    warnings.filterwarnings(
        "ignore", "A worker stopped while some jobs"
    )  # joblib renews it and loses nothing
    warnings.filterwarnings("ignore", r"\d+ tasks ")  # how many joblib had under way when it was stopped
    options = parser().parse_args(arguments)
    options.words = sys.argv[1:] if arguments is None else arguments
    try:
        return options.command(options) or 0
    except SerganError as error:
        for sentence in list(getattr(error, "errors", {}).values())[:20]:  # one for each bad file
            print(f"sergan: {sentence}", file=sys.stderr)
        print(f"sergan: {str(error).rstrip('.')}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("sergan: stopped; the same command goes on from here.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output, such as `head`, has enough
        sys.stderr.close()
        return 0


class Parser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(2, f"sergan: {message}; see {self.prog} --help.\n")


class BlockParser(Parser):
    """For options from a file."""

    def error(self, message):
        raise SerganError(message)


def parser(kind: type[Parser] = Parser) -> argparse.ArgumentParser:
    top = kind(
        prog="sergan",
        description="Speech emotion recognition with generated negatives, after Ko and Kim (2019).",
    )
    top.add_argument("--version", action="version", version=f"sergan {__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(function, name, help, **more):
        sub = commands.add_parser(name, help=help, description=help, **more)
        sub.set_defaults(command=function)
        return sub

    def corpus_options(sub):
        sub.add_argument("--excited", choices=("drop", "merge"), help="iemocap: what becomes of excited")
        sub.add_argument("--labels", metavar="A=B,...", help="table: its labels in terms of ours")

    def json_option(sub):
        sub.add_argument("--json", action="store_true", help="print JSON")

    def what_options(sub, split):
        sub.add_argument("--corpus", choices=NAMES, default="demo", metavar="CORPUS", help="default: demo")
        sub.add_argument("--root", metavar="ROOT", help="where the corpus is; for table its CSV file")
        sub.add_argument("--features", type=Path, metavar="FILE", help="take features from this file instead")
        sub.add_argument("--preset", choices=PRESETS, help="sizes (default: demo for demo, else cpu)")
        sub.add_argument("--split", choices=("paper", "speaker"), default=split,
                         help=f"paper: 7:3 in each class; speaker: unseen speakers (default: {split})")  # fmt: skip

    def how_options(sub):
        sub.add_argument("--seeds", type=int, default=1, metavar="N", help="seeds 0 to N-1 (default: 1)")
        sub.add_argument(
            "--folds", nargs="+", type=int, metavar="F", help="of the speaker split (default: all)"
        )
        sub.add_argument("--jobs", type=int, default=1, metavar="N", help="runs side by side (default: 1)")
        sub.add_argument("--dask", metavar="ADDRESS", help="run on the Dask cluster with this scheduler")
        sub.add_argument("--device", default="auto", help="auto (default), cpu, cuda, cuda:1, ...")
        sub.add_argument("--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE", dest="changes",
                         help="change an option of the preset, such as epochs=20 scaling=standard")  # fmt: skip
        sub.add_argument("--store", type=Path, default=Path("runs"), metavar="DIR", help="default: runs")
        sub.add_argument(
            "--on-error", choices=("stop", "skip"), default="stop", help="for audio that is no use"
        )

    sub = command(list_corpora, "corpora", "List the corpora: language, size, licence, where they come from.")
    json_option(sub)

    sub = command(check, "check", "Compare a corpus on disk with what it should hold; exit 0 when complete.")
    sub.add_argument("corpus", choices=NAMES, metavar="CORPUS")
    sub.add_argument("root", nargs="?", metavar="ROOT", help="its folder; for table its CSV file")
    corpus_options(sub)
    json_option(sub)

    sub = command(fetch, "fetch", "Download an open corpus from its own public place and verify it.")
    sub.add_argument("corpus", choices=NAMES, metavar="CORPUS")
    sub.add_argument("--to", type=Path, metavar="DIR", help="folder (default: corpora/CORPUS)")

    sub = command(save_features, "features", "Write a corpus's features to one file that needs no audio.")
    sub.add_argument("corpus", choices=NAMES, metavar="CORPUS")
    sub.add_argument("root", nargs="?", metavar="ROOT")
    sub.add_argument("--to", type=Path, required=True, metavar="FILE", help="the file to write (.npz)")
    sub.add_argument("--on-error", choices=("stop", "skip"), default="stop", help="for audio that is no use")
    corpus_options(sub)

    paper = ", ".join(f"{name}={value}" for name, value in vars(PRESETS["paper"]).items())
    sub = command(run, "run", "Train and test: one record per run; runs already in the store are skipped.",
                  epilog=f"Options for --set, as in the preset paper: {paper}. sergan/config.py says why.")  # fmt: skip
    sub.add_argument("--sweep", type=Path, metavar="FILE",
                     help="blocks of these options in TOML; options given here hold for all blocks")  # fmt: skip
    what_options(sub, split="paper")
    sub.add_argument("--ablation", nargs="+", choices=ABLATIONS, default=ABLATIONS, metavar="ABLATION",
                     help=f"of {', '.join(ABLATIONS)} (default: all)")  # fmt: skip
    sub.add_argument(
        "--objective",
        nargs="+",
        metavar="OBJECTIVE",
        help="readings of the negative label (default: zero fused; for negatives without a GAN: fused)",
    )
    sub.add_argument("--control", default="none",
                     help="none (default); placebo, sqrt2, sqrt2_betas (AM, BAM: what Adam alone does); untrained, "
                          "other, shuffled (AGM, BAGM: negatives without a GAN)")  # fmt: skip
    sub.add_argument("--augment", metavar="FILE.py:FUNCTION",
                     help="an augmentation of your own: a function from a batch to a batch")  # fmt: skip
    sub.add_argument("--split-seed", type=int, metavar="S",
                     help="one random split for all seeds (default: each seed draws its own)")  # fmt: skip
    how_options(sub)
    sub.add_argument("--no-baselines", action="store_true", help="leave out majority and linear")
    sub.add_argument("--no-weights", action="store_true", help="keep no weights (predict needs them)")
    corpus_options(sub)
    json_option(sub)

    sub = command(examine, "examine", "Find the fake gain: put an augmentation of yours beside baselines, controls and "
                  "tuned learning rates, and say what is left of its gain.")  # fmt: skip
    sub.add_argument("augment", metavar="FILE.py:FUNCTION",
                     help="a function from a batch to a batch, see sergan/augmentation.py")  # fmt: skip
    what_options(sub, split="speaker")
    sub.add_argument("--ablation", nargs=1, choices=("AM", "BAM"), default=["BAM"], metavar="ABLATION",
                     help="AM or BAM (default)")  # fmt: skip
    how_options(sub)
    sub.add_argument("--dry-run", action="store_true", help="only list the runs, and how long they may take")
    sub.set_defaults(objective=None, control="none", split_seed=None, no_weights=True)
    corpus_options(sub)
    json_option(sub)

    sub = command(report, "report", "Print the paper's Tables 3 and 4 from records, draw its Fig. 3, and write a "
                  "page of them all.")  # fmt: skip
    sub.add_argument("store", nargs="?", type=Path, default=Path("runs"), metavar="STORE")
    sub.add_argument("--figures", type=Path, metavar="DIR", help="where figures go (default: STORE/figures)")
    sub.add_argument("--html", type=Path, metavar="FILE",
                     help="where the page goes, headed by STORE/NOTE.txt (default: STORE/report.html)")  # fmt: skip
    json_option(sub)

    sub = command(contribute, "contribute", "Write a store's runs on one corpus as a file of aggregates for the book: "
                  "no audio, no features, no names of utterances, no answers to single ones.")  # fmt: skip
    sub.add_argument("store", nargs="?", type=Path, default=Path("runs"), metavar="STORE")
    sub.add_argument("-o", "--to", type=Path, required=True, metavar="FILE.json", help="the file to write")
    sub.add_argument("--corpus", metavar="CORPUS", help="which, where the store has several")
    sub.add_argument(
        "--name", default="", help="of who contributes, as the book shall show it (default: none)"
    )
    sub.add_argument("--note", default="", help="what a reader should know, in a sentence or two")

    sub = command(
        validate, "validate", "Accept or refuse contributed files and say why; exit 0 when all are accepted."
    )
    sub.add_argument("files", nargs="+", type=Path, metavar="FILE")

    sub = command(
        predict, "predict", "Classify a recording with a trained discriminator, draw its attention."
    )
    sub.add_argument("file", type=Path, metavar="FILE")
    sub.add_argument("--store", type=Path, default=Path("runs"), metavar="DIR", help="default: runs")
    sub.add_argument("--record", metavar="KEY", help="the run whose weights to use (default: the newest)")
    sub.add_argument("--figure", type=Path, metavar="PNG", help="default: FILE.attention.png")
    json_option(sub)

    sub = command(bench, "bench", "Measure a training step's speed and memory here, as ratios against plain loops.",
                  epilog=benchmarks.__doc__.partition("\n\n")[2],
                  formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    benchmarks.add_options(sub)
    json_option(sub)
    return top


def corpus_choices(options) -> dict[str, str]:
    """The options of the corpus that were given."""
    return {name: value for name in ("excited", "labels") if (value := getattr(options, name)) is not None}


def show(value) -> None:
    print(json.dumps(value, indent=1, default=str))


def list_corpora(options):
    from sergan import corpora

    facts = [corpora.describe(name) for name in NAMES]
    if options.json:
        return show(facts)
    for fact in facts:
        counts = ", ".join(f"{emotion} {count}" for emotion, count in fact["counts"].items())
        print(f"{fact['name']:8} {fact['title']}")
        print(f"         {fact['language']}; {fact['utterances'] or 'any number of'} utterances"
              + (f": {counts}" if counts else "") + f"; licence: {fact['licence']}")  # fmt: skip
        where = f"sergan fetch {fact['name']}" if fact["fetchable"] else fact["homepage"]
        print(f"         {where or ('comes with sergan' if fact['counts'] else 'wherever you have it')}")


def check(options):
    from sergan import corpora

    found = corpora.check(options.corpus, options.root, **corpus_choices(options))
    if options.json:
        show(found.as_dict())
    else:
        print(found.text())
    return 0 if found.complete else 1


def fetch(options):
    from sergan import corpora

    found = corpora.fetch(options.corpus, options.to or Path("corpora") / options.corpus)
    print(found.text())
    return 0 if found.complete else 1


def save_features(options):
    from sergan import experiments, features

    dataset = experiments.load_dataset(
        options.corpus, options.root, on_error=options.on_error, **corpus_choices(options)
    )
    features.save(
        options.to,
        corpus=dataset.corpus,
        table=dataset.table,
        sequences=dataset.sequences,
        functionals=dataset.functionals,
    )
    print(f"{options.to}: {len(dataset.table)} utterances, {options.to.stat().st_size / 1e6:.1f} MB")


MOST_SEEDS = 10_000

WHOLE = {"command", "sweep", "jobs", "dask", "device", "store", "json", "no_weights"}
"""Options of `run` that a block of a sweep file cannot have, because they hold for the whole sweep."""


def blocks(options) -> dict[str, argparse.Namespace]:
    """The blocks of a sweep file, each as if its options had been typed; or the options that were typed."""
    if options.sweep is None:
        return {"": options}
    import tomllib

    file, defaults = options.sweep, vars(parser().parse_args(["run"]))
    known = {"set" if name == "changes" else name.replace("_", "-") for name in defaults.keys() - WHOLE}
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SerganError(f"--sweep {file} cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise SerganError(f"--sweep {file} is not TOML ({error}); see https://toml.io") from error
    named = {name: block for name, block in content.items() if isinstance(block, dict) and name != "set"}
    shared = {name: value for name, value in content.items() if name not in named}
    if not named:
        raise SerganError(f"--sweep {file} has no blocks; a line [NAME] begins one")
    found = {}
    for name, block in named.items():
        with said_of(where := f"{file} [{name}]"):
            if unknown := [key for key in (*shared, *block) if key not in known]:
                raise SerganError(f"{unknown[0]} is none of the options {', '.join(sorted(known))}")
            usual = {key: value for key, value in shared.items() if key not in block or key == "set"}
            typed = ["run", *words(usual), *words(block), *options.words[1:]]
            found[where] = parser(BlockParser).parse_args(typed)
    return found


def words(block: dict) -> list[str]:
    """Options as they are typed.

    Example:
        >>> words({"seeds": 2, "no-baselines": True, "set": {"generator": [8, 16], "masked": False}})
        ['--seeds', '2', '--no-baselines', '--set', 'generator=8,16', 'masked=false']
    """

    def text(value):
        if isinstance(value, list):
            return ",".join(map(text, value))
        return str(value).lower() if isinstance(value, bool) else str(value)

    typed = []
    for key, value in block.items():
        if isinstance(value, dict):
            value = [f"{name}={text(one)}" for name, one in value.items()]
        if value is not False:
            values = [*map(text, value if isinstance(value, list) else [] if value is True else [value])]
            if posing := [word for word in values if re.match(r"-(?![\d.])", word)]:
                raise SerganError(
                    f"{key} cannot be {posing[0]}, which looks like an option of its own; give a value"
                )
            typed += [f"--{key}", *values]
    return typed


@contextlib.contextmanager
def said_of(where: str):
    """Put the place in a sweep file before the sentence of an error."""
    try:
        yield
    except SerganError as error:
        if where:
            error.args = (f"{where}: {error}",)
        raise


def choices_of(options) -> dict:
    """What `experiments.plan` takes, from options, if they agree with each other."""
    from sergan import experiments

    if options.seeds < 1 or options.jobs < 1:
        raise SerganError("--seeds and --jobs must be at least 1")
    if options.seeds > MOST_SEEDS:
        raise SerganError(f"--seeds {options.seeds} are more than {MOST_SEEDS}; give fewer")
    changes = dict(change.partition("=")[::2] for change in options.changes)
    if unclear := [change for change in options.changes if "=" not in change]:
        raise SerganError(f"--set {unclear[0]} must have the form KEY=VALUE, such as epochs=20")
    preset = options.preset or ("demo" if options.corpus == "demo" and not options.features else "cpu")
    usual = ["fused"] if options.control in experiments.NEGATIVE_CONTROLS else ["zero", "fused"]
    choices = {
        "preset": preset, "split": options.split, "ablations": options.ablation,
        "objectives": options.objective or usual, "control": options.control, "seeds": range(options.seeds),
        "split_seed": options.split_seed, "changes": changes, "augment": options.augment,
    }  # fmt: skip
    experiments.check(**choices)  # before features are extracted, which takes time
    return choices


def dataset_of(options, functionals: bool, others: bool):
    """The corpus with its features."""
    from sergan import experiments

    if options.features:
        return experiments.dataset_from_file(options.features)
    return experiments.load_dataset(
        options.corpus,
        options.root,
        functionals=functionals,
        others=others,
        on_error=options.on_error,
        **corpus_choices(options),
    )


def run(options):
    from sergan import experiments, results

    plans, needs, datasets, costs = [], {}, {}, {}
    for where, block in blocks(options).items():
        with said_of(where):
            choices = choices_of(block) | {"folds": block.folds, "baselines": not block.no_baselines}
        source = (block.features, block.corpus, block.root, block.on_error, *corpus_choices(block).items())
        plans.append((where, block, source, choices))
        need = needs.setdefault(source, {"functionals": False, "others": False})
        need["functionals"] |= choices["baselines"]
        need["others"] |= block.control == "other"
    for where, block, source, choices in plans:
        with said_of(where):
            if source not in datasets:
                datasets[source] = dataset_of(block, **needs[source])
            planned = experiments.plan(datasets[source], **choices)
        costs |= {one: round(experiments.cost(one, datasets[source])) for one in planned}
    new = carry_out(costs, list(datasets.values()), options)
    if options.json:
        return show([results.load(options.store / f"{results.key(one.config)}.json") for one in costs])
    print(f"{len(costs)} runs in {options.store}, {new} of them new; see: sergan report {options.store}")


def carry_out(costs: dict, datasets: list, options) -> int:
    """Do the runs that the store lacks, under a bar that goes by their `costs`; how many they were."""
    from tqdm import tqdm

    from sergan import experiments, results

    todo = [one for one in costs if not results.is_done(options.store, one.config)]
    for sentence in experiments.leaks_of(todo, datasets):
        warnings.warn(sentence, stacklevel=2)
    alone = options.jobs == 1 and not options.dask
    with tqdm(total=sum(costs[one] for one in todo), bar_format=BAR, smoothing=0, disable=None) as bar:

        def move(one, share):
            before, paid[one] = paid.get(one, 0), round(costs[one] * share)
            bar.update(paid[one] - before)

        def after_epoch(one, epoch, entry):
            if one not in paid and not bar.disable:  # what a checkpoint held took no time now
                paid[one] = round(costs[one] * (epoch - 1) / one.options.epochs)
                bar.n += paid[one]
                bar.initial += paid[one]
            move(one, epoch / one.options.epochs)

        def after_run(one, record):
            ended.append(one)
            scores = f"{one}: WA {record['wa']:.1f}, UA {record['ua']:.1f}"
            bar.set_description_str(f"{len(ended)} of {len(todo)} runs, last {scores}", refresh=False)
            move(one, 1)
            if not options.json:
                bar.write(f"{scores}, {record['time_s']:.0f} s")

        def after_failure(one, problem):
            ended.append(one)
            move(one, 1)

        paid, ended = {}, []
        with cluster(options.dask):
            experiments.sweep(
                list(costs),
                datasets,
                options.store,
                jobs=-1 if options.dask else options.jobs,
                device=options.device,
                keep_weights=not options.no_weights,
                on_done=after_run,
                on_failed=after_failure,
                progress=after_epoch if alone else None,
            )
    return len(todo)


BAR = "{percentage:3.0f}% |{bar}| {elapsed} gone, {remaining} left; {desc}"
"""The time left goes by what the runs are expected to cost, not by their number."""


def examine(options):
    from sergan import examine as examination
    from sergan import experiments, results

    choices = choices_of(options)
    dataset = dataset_of(options, functionals=True, others=False)
    listed = examination.runs(dataset, **choices | {"folds": options.folds})
    if options.dry_run:
        return print(examination.forecast(listed, options.store, options.jobs))
    carry_out({one: round(experiments.cost(one, dataset)) for one in listed}, [dataset], options)
    records = [results.load(options.store / f"{results.key(one.config)}.json") for one in listed]
    found = examination.look(records, experiments.check(**choices).lr, options.store)
    if options.json:
        return show(found)
    print(f"\n{examination.text(found)}")


@contextlib.contextmanager
def cluster(address: str | None):
    """Inside, joblib works on the Dask cluster at `address`, if one is given."""
    if address is None:
        yield
        return
    import joblib

    try:
        from distributed import Client
    except ImportError as error:
        raise SerganError("--dask needs the package distributed: pip install 'sergan[dask]'") from error
    try:
        client = Client(address, timeout=10)
    except (OSError, ValueError) as error:
        raise SerganError(f"--dask {address}: no scheduler answers there ({error})") from error
    start = f"dask worker {address} --nthreads 1"
    with client:
        try:
            client.wait_for_workers(1, timeout=10)
        except OSError as error:
            raise SerganError(f"--dask {address}: no worker is there; start one with: {start}") from error
        if wide := [worker for worker, threads in client.nthreads().items() if threads > 1]:
            raise SerganError(
                f"--dask {address}: worker {wide[0]} takes several runs at once, but a run needs a process "
                f"of its own; start workers with: {start}"
            )
        try:
            with joblib.parallel_config("dask"):
                yield
        finally:  # answers that are still on their way are cut off now, of which tornado would print a traceback
            logging.getLogger("tornado.application").disabled = True


def report(options):
    from matplotlib import rc_context

    from sergan import page, plan, results
    from sergan import report as tables

    records = results.read(options.store)
    if not records:
        raise SerganError(f"store {options.store} holds no records; `sergan run` writes them")
    groups = tables.groups(records)
    html = None
    if options.html or not options.json:  # first, so that nothing is printed or drawn from a damaged record
        html = page.write(groups, options.html or options.store / "report.html", options.store)
    if options.json:
        return show([tables.as_dict(group, options.store) for group in groups])
    for group in groups:
        print(tables.text(group, options.store))
        if any(record["curve"] for record in group["records"]):
            folder = options.figures or options.store / "figures"
            try:
                with rc_context({"text.parse_math": False}):  # the name of a corpus is its user's, no formula
                    print(f"\nFig. 3: {tables.draw(group, folder)}")
            except OSError as error:
                raise SerganError(
                    f"no figure can be written to {folder} ({error.strerror or error}); name another folder "
                    "with --figures"
                ) from error
        print()
    if rows := tables.splits(groups):
        print(f"{tables.splits_text(rows)}\n")
    for corpus in dict.fromkeys(record["corpus"] for record in records):
        if rows := plan.contrasts(records, options.store, corpus):
            print(f"{plan.text(corpus, rows)}\n")
    print(f"All of it on a page: {html}")


def contribute(options):
    from sergan import contribution

    content = contribution.gather(options.store, corpus=options.corpus, name=options.name, note=options.note)
    contribution.write(options.to, content)
    print(f"{options.to}: {contribution.text(content)}")
    print(
        "You give it to everyone under CC0 1.0. Read it, then offer it: the book's CONTRIBUTING.md says how."
    )
    say_doubts(contribution.check(content))


def validate(options):
    from sergan import contribution

    refused = 0
    for path in options.files:
        try:
            content = contribution.load(path)
            verdict = contribution.check(content)
        except SerganError as error:
            print(f"sergan: {str(error).rstrip('.')}.", file=sys.stderr)
            refused += 1
            continue
        for problem in verdict.problems[:SENTENCES]:
            print(f"sergan: {path}: {problem}.", file=sys.stderr)
        if verdict.problems:
            more = len(verdict.problems) - SENTENCES
            print(
                f"sergan: {path} is refused{f', for {more} more reasons too' if more > 0 else ''}.",
                file=sys.stderr,
            )
            refused += 1
            continue
        print(f"{path}: accepted\n{contribution.text(content)}")
        say_doubts(verdict)
    return 1 if refused else 0


SENTENCES = 50
"""About one file, no more than these."""


def say_doubts(verdict):
    for doubt in verdict.doubts[:SENTENCES]:
        print(f"please look again: {doubt}")


def predict(options):
    from sergan import prediction

    found = prediction.predict(options.file, options.store, options.record)
    figure = options.figure or options.file.with_name(f"{options.file.name}.attention.png")
    prediction.draw(found, figure)
    if options.json:
        return show(prediction.as_dict(found) | {"figure": str(figure)})
    print(prediction.text(found))
    print(f"Attention over the waveform: {figure}")


def bench(options):
    measured = benchmarks.run(options)
    if options.json:
        return show(measured)
    print(benchmarks.text(measured))


if __name__ == "__main__":
    sys.exit(main())
