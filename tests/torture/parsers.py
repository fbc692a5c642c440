"""What `sergan` reads and somebody else may have written: for each kind, how it is read, and files to begin with.

Each `Parser.read` writes its bytes to where such a file lies and calls what the command line calls for it. The seeds
are files that the project itself makes, from its demo corpus and from runs of a second. A parser with `sealed` in its
name takes a box of named parts and makes the file from it with right checksums, so that what lies behind them is
reached.
"""

import contextlib
import hashlib
import io
import json
import queue
import re
import shutil
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from sergan import (
    EMOTIONS,
    SerganError,
    checkpoints,
    contribution,
    corpora,
    experiments,
    features,
    prediction,
    report,
    results,
)
from sergan import __main__ as program
from sergan.config import PRESETS
from sergan.corpora import _fetch, demo
from sergan.corpora._remote import Archive

TOP = Path(__file__).resolve().parents[2]
VOICES = ("f1", "f2", "m1")
TINY = {
    "epochs": "1",
    "lstm": "2",
    "attention": "2",
    "dense": "2",
    "frames": "8",
    "latent": "2",
    "generator": "2,2",
}


@dataclass(frozen=True)
class Parser:
    """
    Attributes:
        read: reads bytes as the kind of file; gets a folder that is its own.
        seeds: bytes that it must read without complaint.
        named: words of which a refusal must hold one: the file's name, its option.
        words: tokens of the format, for mutation.
        kind: "json" where parts of a document can be exchanged, else "text" or "bytes".
    """

    read: Callable[[bytes, Path], object]
    seeds: Callable[[], list[bytes]]
    named: tuple[str, ...]
    words: tuple[bytes, ...] = ()
    kind: str = "bytes"


# ---------------------------------------------------------------------------------------------------- good sentences

LONGEST = 1_000  # characters of a sentence


def wrong_with(sentence: str, named: tuple[str, ...]) -> str:
    """What keeps a text from being one sentence on one line that names something and says what to do; or nothing."""
    if not sentence.isprintable():
        return f"holds what is not for printing: {ascii(sentence)[:200]}"
    if len(sentence) > LONGEST:
        return f"has {len(sentence)} characters"
    if named and not any(name in sentence for name in named):
        return f"names none of {', '.join(named)}: {sentence}"
    if not re.search(r"\S[:;(] ?\S|\bis not\b|\bmust\b", sentence):
        return f"has no remedy: {sentence}"
    if re.search(r"[a-z)][.!?] [A-Z][a-z]+ [a-z]", sentence):
        return f"is more than one sentence: {sentence}"
    return ""


def refused(sentence: str) -> None:
    """A sentence that is printed without being raised must stay on its line too."""
    if wrong := wrong_with(f"{sentence}; so be it", ()):
        raise AssertionError(f"a problem {wrong}")


# ------------------------------------------------------------------------------------------- what seeds are made of


@cache
def made() -> SimpleNamespace:
    """A corpus of 24 utterances, its features file, and a store with records: once a process."""
    kept = tempfile.TemporaryDirectory(prefix="sergan-seeds-")
    folder = Path(kept.name)
    table = folder / "corpus.csv"
    rows = ["file,emotion,speaker,gender"]
    for voice in VOICES:
        for emotion in EMOTIONS:
            for found in sorted((demo.ROOT / voice).glob(f"{voice}_{emotion}_*.flac"))[:2]:
                shutil.copy(found, folder)
                rows.append(f"{found.name},{emotion},{voice},{'female' if voice[0] == 'f' else 'male'}")
    table.write_text("\n".join(rows) + "\n")
    names = corpora.load("table", table)
    sequences = features.extract(names["file"], cache=False, jobs=1, progress=False)
    features.save(
        folder / "corpus.npz",
        corpus="table",
        table=names,
        sequences=[sequence[20:30] for sequence in sequences],  # small files are fuzzed faster
        functionals=features.functionals(names["file"], cache=False, jobs=1, progress=False),
    )
    dataset = experiments.dataset_from_file(folder / "corpus.npz")
    store = folder / "store"
    runs = experiments.plan(
        dataset, preset="demo", ablations=["BAM", "BAGM"], objectives=["fused"], changes=TINY
    )
    for one in runs:
        results.write(store, *experiments.run(one, dataset, device="cpu"))
    records = results.read(store)
    return SimpleNamespace(kept=kept, folder=folder, dataset=dataset, store=store, records=records)


def cut(signal_file: Path, seconds: float, kind: str, subtype: str | None = None) -> bytes:
    """A short part of a recording in another format."""
    import soundfile

    signal, rate = soundfile.read(signal_file)
    out = io.BytesIO()
    soundfile.write(out, signal[: int(seconds * rate)], rate, format=kind, subtype=subtype)
    return out.getvalue()


def put(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    if not path.parent.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def boxed(parts: dict[str, bytes]) -> bytes:
    """Named parts as one byte string."""
    return b"".join(struct.pack("<HI", len(n.encode()), len(d)) + n.encode() + d for n, d in parts.items())


def unboxed(data: bytes) -> list[tuple[str, bytes]]:
    """The parts of any byte string, damaged or not."""
    found, at = [], 0
    while at + 6 <= len(data) and len(found) < 50:
        name, size = struct.unpack_from("<HI", data, at)
        at += 6
        name, size = min(name, 80), min(size, len(data))
        found.append((data[at : at + name].decode("latin-1"), data[at + name : at + name + size]))
        at += name + size
    return found


def zipped(parts, compress: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compress) as archive:
        for name, content in parts:
            with contextlib.suppress(ValueError):
                archive.writestr(zipfile.ZipInfo(name or "_"), content, compress)
    return out.getvalue()


def parts_of(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


# ---------------------------------------------------------------------------------------------------------- audio


def audio(data: bytes, folder: Path):
    suffix = {b"R": "wav", b"f": "flac", b"O": "ogg"}.get(data[:1], "mp3")
    path = put(folder, f"voice.{suffix}", data)
    corpora._durations([str(path)])
    return features.from_signal(features.read(path), name=str(path))


def audio_seeds():
    voice = demo.ROOT / "f1" / "f1_angry_01.flac"
    forms = [("WAV", "PCM_16"), ("WAV", "FLOAT"), ("WAV", "ULAW"), ("WAV", "IMA_ADPCM"), ("FLAC", None),
             ("OGG", "VORBIS"), ("MP3", None)]  # fmt: skip
    return [cut(voice, 0.2, *form) for form in forms]


# --------------------------------------------------------------------------------------------------------- corpora

HEADER = "[6.2901 - 8.2357]\tSes01F_impro01_F000\tneu\t[2.5000, 2.5000, 2.5000]\nC-E2:\tNeutral;\t()\n"


def emoevaluation(data: bytes, folder: Path):
    session = folder / "IEMOCAP" / "Session1"
    if not session.exists():
        voice = cut(demo.ROOT / "f1" / "f1_angry_01.flac", 0.1, "WAV")
        put(session, "sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav", voice)
    put(session, "dialog/EmoEvaluation/Ses01F_impro01.txt", data)
    if one_in_five(data):
        check("iemocap", folder / "IEMOCAP")
    return corpora.load("iemocap", folder / "IEMOCAP")


def one_in_five(data: bytes) -> bool:
    """`corpora.check` reads what `load` reads, and then counts and lays out for six times as long."""
    return zlib.crc32(data) % 5 == 0


def check(name: str, root: Path):
    found = corpora.check(name, root)
    assert found.text().replace("\n", "").isprintable(), "the table holds what is not for printing"
    for problem in found.problems:
        refused(problem)


def table(data: bytes, folder: Path):
    for name in ("a.wav", "b.wav"):
        if not (folder / name).exists():
            put(folder, name, cut(demo.ROOT / "f1" / "f1_angry_01.flac", 0.1, "WAV"))
    path = put(folder, "mine.csv", data)
    if one_in_five(data):
        check("table", path)
    return corpora.load("table", path)


def demographics(data: bytes, folder: Path):
    root = folder / "CREMA-D"
    if not root.exists():
        put(root, "AudioWAV/1001_DFA_ANG_XX.wav", cut(demo.ROOT / "f1" / "f1_angry_01.flac", 0.1, "WAV"))
    put(root, "VideoDemographics.csv", data)
    return corpora.load("cremad", root)


# ---------------------------------------------------------------------------------------------- configuration files

SWEEP = b"""preset = "demo"
set = {epochs = 2, lstm = 4}
[plain]
ablation = ["AM", "BAM"]
seeds = 2
no-baselines = true
[gan]
corpus = "table"
root = "mine.csv"
ablation = ["BAGM"]
objective = ["zero", "k_plus_one"]
split = "speaker"
folds = [0, 1]
set = {generator = [8, 16], masked = false, lr = 0.01}
"""


def sweep(data: bytes, folder: Path):
    """All of `sergan run --sweep` but loading the corpus and carrying out the runs."""
    path = put(folder, "sweep.toml", data)
    options = program.parser().parse_args(["run", "--sweep", str(path), "--store", str(folder / "store")])
    options.words = ["run", "--sweep", str(path), "--store", str(folder / "store")]
    kept = program.dataset_of, program.carry_out
    program.dataset_of, program.carry_out = lambda *_, **__: made().dataset, lambda costs, *_: len(costs)
    try:
        program.run(options)
    finally:
        program.dataset_of, program.carry_out = kept


def settings(data: bytes, folder: Path):
    """`--set` of the command line: a word a line."""
    words = [word for word in data.decode("utf-8", "replace").split("\n") if not word.startswith("-")]
    options = program.parser(program.BlockParser).parse_args(["run", "--set", "epochs=2", *words])
    return program.choices_of(options)


# ---------------------------------------------------------------------------------------------------------- records


def record(data: bytes, folder: Path):
    """A record under the name that its configuration has, as `sergan report` reads it."""
    store, key = folder / "store", "0123456789abcdef"
    with contextlib.suppress(ValueError, TypeError, KeyError, RecursionError):
        key = results.key(json.loads(data)["config"])
    path = put(store, f"{key}.json", data)
    try:
        for group in report.groups(results.read(store)):
            report.as_dict(group, store)
            report.text(group, store)
        with contextlib.suppress(SerganError):
            contribution.gather(store)
    finally:
        path.unlink()


def record_seeds():
    return [(made().store / f"{results.key(one['config'])}.json").read_bytes() for one in made().records]


def answers(data: bytes, folder: Path):
    store = folder / "answers"
    one = next(r for r in made().records if r["ablation"] == "BAGM")
    key = results.key(one["config"])
    if not store.exists():
        put(store, f"{key}.json", (made().store / f"{key}.json").read_bytes())
    put(store, f"{key}.npz", data)
    for group in report.groups(results.read(store)):
        report.as_dict(group, store)
        report.text(group, store)


def answers_seed():
    one = next(r for r in made().records if r["ablation"] == "BAGM")
    return (made().store / f"{results.key(one['config'])}.npz").read_bytes()


def sealed(read):
    """A parser of the zip file that a box's parts make."""
    return lambda data, folder: read(zipped(unboxed(data)), folder)


@cache
def training():
    from sergan.objectives import OBJECTIVES
    from sergan.training import Training

    return Training(PRESETS["demo"].change(TINY), "BAGM", OBJECTIVES["fused"])


def checkpoint(data: bytes, folder: Path):
    path = put(folder, "run.ckpt", data)
    checkpoints.load(training(), path)
    found = training()
    assert isinstance(found.steps, int) and isinstance(found.time_s, float), "steps or time are no numbers"
    assert all(isinstance(name, str) for entry in found.curve for name in entry), "the curve is none"


@cache
def checkpoint_seed() -> bytes:
    path = made().folder / "run.ckpt"
    begun = training()
    begun.curve, begun.steps, begun.time_s = [{"wa": 25.0}], 3, 1.5
    checkpoints.save(begun, path)
    return path.read_bytes()


def weights(data: bytes, folder: Path):
    store = folder / "weights"
    one = next(r for r in made().records if r["ablation"] == "BAGM")
    key = results.key(one["config"])
    if not store.exists():
        put(store, f"{key}.json", (made().store / f"{key}.json").read_bytes())
        put(store, "voice.wav", cut(demo.ROOT / "f1" / "f1_angry_01.flac", 0.1, "WAV"))
    put(store, f"{key}.pt", data)
    return prediction.text(prediction.predict(store / "voice.wav", store))


def weights_seed():
    one = next(r for r in made().records if r["ablation"] == "BAGM")
    return (made().store / f"{results.key(one['config'])}.pt").read_bytes()


# --------------------------------------------------------------------------------------------------------- features


def stored(data: bytes, folder: Path):
    path = put(folder, "corpus.npz", data)
    dataset = experiments.dataset_from_file(path)
    experiments.plan(dataset, preset="demo", split="speaker")
    return experiments.plan(dataset, preset="demo")


def stored_sealed(data: bytes, folder: Path):
    """Parts with a digest that fits them."""
    arrays = {}
    for name, content in unboxed(data):
        with contextlib.suppress(Exception):
            arrays[name.removesuffix(".npy")] = np.lib.format.read_array(io.BytesIO(content))
    arrays.pop("digest", None)
    out = io.BytesIO()
    with contextlib.suppress(Exception):
        np.savez(out, digest=features._digest(arrays), **arrays)
    return stored(out.getvalue(), folder)


def stored_seed():
    return (made().folder / "corpus.npz").read_bytes()


@cache
def spoken():
    """A recording, its features, and the entry of a cache for it."""
    data = cut(demo.ROOT / "f1" / "f1_angry_01.flac", 0.1, "WAV")
    path = put(made().folder, "spoken.wav", data)
    (found,) = features.extract([path], cache=made().folder / "one", jobs=1, progress=False)
    (entry,) = (made().folder / "one").iterdir()
    return SimpleNamespace(path=path, found=found, name=entry.name, entry=entry.read_bytes())


def cached(data: bytes, folder: Path):
    """An entry of the features cache; one that is not intact must be made anew."""
    put(folder, spoken().name, data)
    (found,) = features.extract([spoken().path], cache=folder, jobs=1, progress=False)
    if hashlib.sha256(bytes.fromhex(spoken().name) + data[32:]).digest() != data[:32]:
        assert np.array_equal(found, spoken().found), "a damaged entry was taken for features"


def cached_sealed(data: bytes, folder: Path):
    """An entry whose digest fits: no chance makes it, but nothing may break."""
    cached(hashlib.sha256(bytes.fromhex(spoken().name) + data).digest() + data, folder)


# ----------------------------------------------------------------------------------------------------- contributions


def contributed(data: bytes, folder: Path):
    content = contribution.load(put(folder, "given.json", data))
    verdict = contribution.check(content)
    for sentence in (*verdict.problems, *verdict.doubts):
        refused(sentence)
    if verdict.problems:
        raise SerganError(f"given.json is refused: {verdict.problems[0]}")
    return contribution.text(content)


@cache
def contribution_seed() -> bytes:
    """A contribution of two runs on a corpus with published counts, as the book's own records make it."""
    kept = []
    for path in sorted(results.published().glob("*.json")):
        one = json.loads(path.read_text())
        if (
            one["corpus"] == "emodb"
            and one["split"] == "paper"
            and one["ablation"] in ("majority", "AM", "AGM", "BAGM")
        ):
            kept.append((len(path.read_bytes()), path))
    store = made().folder / "published"
    for _, path in sorted(kept)[:2]:
        put(store, path.name, path.read_bytes())
    out = made().folder / "given" / "given.json"
    contribution.write(out, contribution.gather(store))
    return out.read_bytes()


# -------------------------------------------------------------------------------------------------------- coursework

STUDENTS = "id,first_name,last_name,email,platform\ns1,Anna,Berg,a@x.org,11\ns2,Bo,Li,b@x.org,12\n"


@cache
def released():
    """An assignment as students get it, and one handed in."""
    import nbformat

    from sergan.coursework import assignments, notebooks
    from sergan.coursework.rebuilding import is_answer

    given = notebooks.source(assignments.load(1))
    given = notebooks.of_variant(given, assignments.load(1).variant("example"))
    for cell in given.cells:
        if is_answer(cell):
            cell.source = "# YOUR CODE HERE"
    answered = nbformat.from_dict(json.loads(nbformat.writes(given)))
    for cell in answered.cells:
        cell.outputs = [] if cell.cell_type == "code" else cell.get("outputs")
        if cell.outputs is None:
            del cell["outputs"]
        if is_answer(cell):
            cell.source = (
                "def f(x):\n    return x"
                if cell.cell_type == "code"
                else "See ![p](attachment:a.png) [l](http://x)"
            )
    return given, nbformat.writes(answered).encode()


def classmates():
    from sergan.coursework.submissions import Student

    return [Student("s1", "Anna", "Berg", "a@x.org", "11"), Student("s2", "Bo", "Li", "b@x.org", "12")]


def notebook(data: bytes, folder: Path):
    from sergan.coursework import grading, rebuilding
    from sergan.coursework.submissions import File, Submission

    file = File("Anna Berg_11_assignsubmission_file/a.ipynb", len(data), 0.0, lambda: data)
    made_anew, problem = grading.taken(Submission(classmates()[0], file, None), released()[0])
    assert "it cannot be read (" not in problem, f"an error that nobody foresaw: {problem}"
    rebuilding.written(made_anew)
    if problem:
        raise SerganError(f"notebook: {problem}")


def download(data: bytes, folder: Path):
    from sergan.coursework import grading, submissions

    found, left = submissions.match(put(folder, "download.zip", data), classmates())
    for one in found.values():
        grading.taken(one, released()[0])
    for one in left:
        refused(f"{one.path}: {one.what}; look at it")


def download_seeds():
    small = released()[1][:2000]
    moodle = "Anna Berg_11_assignsubmission_file/a.ipynb"
    canvas = "libo_LATE_12_345_work-2.ipynb"
    return [zipped([(moodle, small), (canvas, b"{}"), ("__MACOSX/._x", b"")], way)
            for way in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)]  # fmt: skip


def class_list(data: bytes, folder: Path):
    from sergan.coursework import submissions

    return submissions.class_list(put(folder, "students.csv", data))


def times(data: bytes, folder: Path):
    from sergan.coursework import submissions

    return submissions.times(put(folder, "times.csv", data), classmates())


def answer(data: bytes, folder: Path):
    """A line that a student's process sends to the grader."""
    from sergan.coursework import fence

    session = object.__new__(fence.Session)
    session.fence, session.end, session.why = fence.Fence(), float("inf"), ""
    session.stop = lambda why: setattr(session, "why", why)
    session.lines = queue.Queue()
    session.lines.put(data.replace(b"\n", b" ") + b"\n")
    session.process = SimpleNamespace(stdin=io.BytesIO(), wait=lambda: None)
    try:
        session.call("f", (1,))
    except fence.Ended as ended:
        raise SerganError(f"answer: {ended}; it is marked so") from None
    except SerganError as error:  # the student's own words, which marking puts into its sentence
        return str(error)


def answer_seeds():
    from sergan.coursework import values

    numbers = values.encode([np.arange(4.0).reshape(2, 2), {"a": [1, 2.5, None, True, "x"]}, float("nan")])
    return [values.line({"value": numbers}), values.line({"error": "ZeroDivisionError: division by zero"})]


# ---------------------------------------------------------------------------------------------------------- archives


def archive(data: bytes, folder: Path):
    """All of a download but the request, whose hash is compared before anything is opened."""
    to, path = folder / "to", put(folder, "archive.zip", data)
    shutil.rmtree(to, ignore_errors=True)
    to.mkdir()
    remote = Archive("https://example.org/archive.zip", "sha256:0", len(data), 1_000_000)
    kept = _fetch._take_archive
    _fetch._take_archive = lambda remote, to, staging, how, _: _fetch._unpack(
        path, to, staging, remote.unpacked_bytes, how
    )
    try:
        _fetch.fetch(remote, to, _fetch.Manner(progress=False), "take it by hand")
    finally:
        _fetch._take_archive = kept


def archive_seeds():
    files = [
        ("Actor_01/03-01-05-01-01-01-01.wav", b"RIFF" + bytes(40)),
        ("Actor_01/._x", b"1"),
        ("LICENSE.txt", b"CC"),
    ]
    return [zipped(files, way) for way in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)]


# ---------------------------------------------------------------------------------------------------------- all of it

JSON = (
    b"null",
    b"true",
    b"1e999",
    b"-1",
    b'"x"',
    b"[]",
    b"{}",
    b"NaN",
    b"\\ud800",
    b'"config"',
    b'"curve"',
    b'"wa"',
)
ZIP = (b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06", b"\xff\xff\xff\xff", b"../", b"\x00")
PICKLE = (b"cos\nsystem\n", b"cbuiltins\neval\n", b"\x80\x02", b"ctorch._utils\n_rebuild_tensor_v2\n", b"R.", b"}q\x00",
          b"X\x05\x00\x00\x00", b"K\x01", b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f")  # fmt: skip
NPY = (b"\x93NUMPY", b"'descr': '|O'", b"'<f2'", b"'shape': (99999999999,)", b"'fortran_order': True", b"<U9")

PARSERS: dict[str, Parser] = {
    "audio": Parser(
        audio, audio_seeds, ("voice.",), (b"RIFF", b"WAVEfmt ", b"data", b"fLaC", b"OggS", b"\xff\xfb", b"LIST")),
    "emoevaluation": Parser(
        emoevaluation, lambda: [f"% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n{HEADER}".encode()],
        ("IEMOCAP",), (b"Ses01F_", b"_F000", b"\tneu\t", b"[0 - 1]", b"../", b"exc", b"\n["), "text"),
    "table": Parser(
        table, lambda: [b"file,emotion,speaker,gender\na.wav,angry,s1,female\nb.wav,sad,s2,male\n",
                        b"\xef\xbb\xbfspeaker;emotion;file\ns1;happy;a.wav\n"],
        ("mine.csv",), (b"file", b"emotion", b",", b";", b"\t", b'"', b"../", b"angry", b"a.wav", b"\r"), "text"),
    "demographics": Parser(
        demographics, lambda: [b"ActorID,Age,Sex,Race,Ethnicity\n1001,51,Male,Caucasian,Not Hispanic\n"],
        ("VideoDemographics.csv",), (b"ActorID", b"Sex", b'"', b","), "text"),
    "sweep": Parser(
        sweep, lambda: [SWEEP], ("sweep.toml",),
        (b"[", b"]", b"=", b"seeds", b"folds", b"set", b"--help", b"augment", b"control", b"inf", b"1979-05-27",
         b'"""'), "text"),
    "settings": Parser(
        settings, lambda: [b"lr=0.1\nmasked=false\ngenerator=8,16"], ("--set", "=", "generator"),
        (b"=", b"nan", b"inf", b"true", b"frames", b"epsilon", b"1e400", b"-1", b"label_smoothing", b"focal"), "text"),
    "record": Parser(record, record_seeds, ("record", ".json"), JSON, "json"),
    "answers": Parser(answers, lambda: [answers_seed()], (".npz",), ZIP + NPY),
    "answers-sealed": Parser(sealed(answers), lambda: [boxed(parts_of(answers_seed()))], (".npz",), NPY),
    "checkpoint": Parser(checkpoint, lambda: [checkpoint_seed()], ("run.ckpt",), ZIP + PICKLE),
    "checkpoint-sealed": Parser(
        sealed(checkpoint), lambda: [boxed(parts_of(checkpoint_seed()))], ("run.ckpt",), PICKLE),
    "weights": Parser(weights, lambda: [weights_seed()], (".pt",), ZIP + PICKLE),
    "weights-sealed": Parser(sealed(weights), lambda: [boxed(parts_of(weights_seed()))], (".pt",), PICKLE),
    "features": Parser(stored, lambda: [stored_seed()], ("corpus.npz",), ZIP + NPY),
    "features-sealed": Parser(stored_sealed, lambda: [boxed(parts_of(stored_seed()))], ("corpus.npz",), NPY + JSON),
    "cache": Parser(cached, lambda: [spoken().entry], ("spoken.wav",)),
    "cache-sealed": Parser(cached_sealed, lambda: [spoken().entry[32:]], ("spoken.wav",)),
    "contribution": Parser(contributed, lambda: [contribution_seed()], ("given.json",), JSON, "json"),
    "notebook": Parser(notebook, lambda: [released()[1]], ("notebook",), (*JSON, b"![", b"](", b"<", b"&"), "json"),
    "download": Parser(download, download_seeds, ("download.zip",), ZIP),
    "classlist": Parser(
        class_list, lambda: [STUDENTS.encode(), b"Identifier;Full name;ID number\nParticipant 11;Anna Berg;s1\n"],
        ("students.csv",), (b"id", b"last_name", b"SIS User ID", b"Student", b'"', b";", b"Full name"), "text"),
    "times": Parser(times, lambda: [b"id,submitted\ns1,2026-03-31T23:59\ns2,2026-03-31T23:59:59+02:00\n"],
                    ("times.csv",), (b"0001-01-01", b"9999-12-31T23:59", b"+23:59", b'"', b"id"), "text"),
    "answer": Parser(answer, answer_seeds, ("answer",), (*JSON, b'"array"', b'"dtype"', b'"shape"', b'"dict"'), "json"),
    "archive": Parser(archive, archive_seeds, ("archive", "to/", "/to", "download"), ZIP),
}  # fmt: skip
