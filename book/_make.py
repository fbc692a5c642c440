"""Executes and renders the book; `make book`, `make render`, `make refresh` and `make zip` call it.

    python book/_make.py build      execute the chapters that changed, in a copy, then render
    python book/_make.py render     render the outputs stored in the notebooks, execute nothing
    python book/_make.py refresh    execute every chapter and store its outputs in book/*.ipynb
    python book/_make.py zip        render, and write the pages as _build/sergan-book-VERSION.zip

The pages are in `_build/html/`. A chapter counts as changed when its code cells, the package (its data
included), the records in `results/` or the installed packages differ from those of its last execution on
this machine; its prose may change freely. Outputs of an execution are kept in `_build/executed/`.
"""

import argparse
import base64
import hashlib
import importlib.metadata
import importlib.util
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

CELL_S = int(os.environ.get("SERGAN_CELL_S", 300))  # a cell may compute this long
GRACE_S = 60  # and starting a kernel, or noticing that a cell took too long, this much longer
TRIES = 2  # nbclient hangs now and then without any fault of the chapter's
NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


class BookError(Exception):
    """What stopped the book, in words for the person who writes it."""


# --- what there is -------------------------------------------------------------------------------------


def table_of_contents(root):
    """The documents that `_toc.yml` lists, in its order, as paths without suffix relative to `root`."""
    import yaml

    found = []

    def walk(node):
        if isinstance(node, dict):
            found.extend(str(node[key]) for key in ("root", "file") if key in node)
            node = [value for key, value in node.items() if key not in ("root", "file")]
        if isinstance(node, list):
            for child in node:
                walk(child)

    walk(yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8")))
    return found


def chapters(root):
    """The notebooks of the table of contents, as paths relative to `root`."""
    names = [Path(name + ".ipynb") for name in table_of_contents(root)]
    return [name for name in names if (root / name).exists()]


def read_notebook(path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BookError(f"{path.name} is not a notebook that can be read: {error}") from None


def code_cells(notebook):
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def source(cell):
    return cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])


def write_whole(path, text):
    """Write `text` so that `path` holds either the old or the new content, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


def digest(parts):
    sha = hashlib.sha256()
    for part in parts:
        part = part if isinstance(part, bytes) else str(part).encode()
        sha.update(len(part).to_bytes(8, "big") + part)
    return sha.hexdigest()


def files_below(folder):
    """Name and content of every file below `folder`, caches and hidden files aside, in a fixed order."""
    for path in sorted(folder.rglob("*")):
        below = path.relative_to(folder)
        if path.is_file() and not any(part.startswith((".", "__pycache__")) for part in below.parts):
            yield below.as_posix()
            yield path.read_bytes()


def surroundings(root):
    """A hash of all that a chapter's outputs depend on besides its own code."""
    parts = [sys.version]
    parts += sorted(f"{d.name} {d.version}" for d in importlib.metadata.distributions())
    package = importlib.util.find_spec("sergan")
    if package:
        parts += files_below(Path(package.submodule_search_locations[0]))
    if (root / "results").is_dir():
        parts += files_below(root / "results")
    return digest(parts)


# --- executing -----------------------------------------------------------------------------------------


def execute_here(notebook, into):
    """Execute one notebook in this process; leaves `into`/outputs.json or `into`/error.txt."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    content = nbformat.read(notebook, as_version=4)
    places = {}
    for number, cell in enumerate(content.cells, 1):
        if cell.cell_type == "code":
            places[number - 1] = f"code cell {len(places) + 1} (cell {number} of {len(content.cells)})"

    at = "before its first code cell"

    def note(cell, cell_index):
        nonlocal at
        at = places.get(cell_index, at)
        (into / "at").write_text(at)

    client = NotebookClient(
        content,
        timeout=CELL_S,
        kernel_name="python3",
        record_timing=False,
        store_widget_state=False,
        on_cell_start=note,
        resources={"metadata": {"path": str(notebook.parent)}},
    )
    try:
        client.execute()
    except CellExecutionError as error:
        said = re.sub(r"\x1b\[[0-9;]*m", "", str(error.evalue))
        first = next((line for line in source(content.cells[error_cell(content)]).splitlines() if line), "")
        text = f"{error.ename}: {said}\n  in the cell that begins: {first}"
    except CellTimeoutError:
        text = f"still computing after {CELL_S} s"
    except DeadKernelError:
        text = "the kernel died (out of memory?)"
    else:
        outputs = [cell.get("outputs", []) for cell in content.cells if cell.cell_type == "code"]
        write_whole(into / "outputs.json", json.dumps(outputs))
        return
    write_whole(into / "error.txt", f"{at}: {text}")


def error_cell(content):
    """Index of the cell that holds an error output."""
    for index, cell in enumerate(content.cells):
        if any(output.output_type == "error" for output in cell.get("outputs", [])):
            return index
    return 0


def execute(notebook, cores):
    """Outputs per code cell of one notebook, executed in a process of its own, tried again if it hangs."""
    for attempt in range(1, TRIES + 1):
        with tempfile.TemporaryDirectory() as folder:
            into = Path(folder)
            command = [sys.executable, __file__, "_execute", str(notebook), folder]
            environment = {**os.environ, "PYTHONHASHSEED": "0", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
            environment.setdefault(
                "OMP_NUM_THREADS", str(cores)
            )  # more threads than cores wait for each other
            with (into / "log").open("wb") as log:
                child = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
                try:
                    hangs = watch(child, into / "at")
                finally:
                    child.kill()
                    child.wait()
            if (into / "outputs.json").exists():
                return clean(json.loads((into / "outputs.json").read_text(encoding="utf-8")), notebook)
            where = (into / "at").read_text() if (into / "at").exists() else "before its first code cell"
            if (into / "error.txt").exists():
                raise BookError(f"{notebook.name}, {(into / 'error.txt').read_text(encoding='utf-8')}")
            if not hangs:
                said = (into / "log").read_text(errors="replace").strip().splitlines()[-5:]
                raise BookError(f"{notebook.name}, {where}: the execution broke off\n  " + "\n  ".join(said))
        print(f"{notebook.name} hung at {where}, attempt {attempt} of {TRIES}", flush=True)
    raise BookError(f"{notebook.name}, {where}: no answer within {CELL_S + GRACE_S} s")


def watch(child, progress):
    """Wait for `child`; True if it made no progress for longer than any cell may take."""
    last = time.monotonic()
    seen = None
    while child.poll() is None:
        time.sleep(0.1)
        now = progress.stat().st_mtime_ns if progress.exists() else None
        if now != seen:
            seen, last = now, time.monotonic()
        if time.monotonic() - last > CELL_S + GRACE_S:
            return True
    return False


def clean(outputs, notebook):
    """The outputs as they are stored: the same for the same results, and nothing of this machine in them."""
    for number, cell in enumerate(outputs, 1):
        kept = []
        for output in cell:
            if output["output_type"] == "stream" and output["name"] == "stderr":
                print(
                    f"{notebook.name}, code cell {number} wrote to stderr (not stored): {text_of(output)[:300]}"
                )
                continue
            if output["output_type"] == "execute_result":
                output["execution_count"] = number
            data = output.get("data", {})
            if "text/html" in data:
                data.pop(WIDGET_VIEW, None)
            if "image/png" in data:
                data["image/png"] = few_colours(data["image/png"])
            output.pop("transient", None)
            if kept and output["output_type"] == "stream" == kept[-1]["output_type"]:
                kept[-1]["text"] = text_of(kept[-1]) + text_of(output)
            else:
                kept.append(output)
        cell[:] = kept
        for path in machine_paths(json.dumps(cell)):
            raise BookError(
                f"{notebook.name}, code cell {number}: its output names a place on this machine, {path}"
            )
    return outputs


def few_colours(png):
    """A picture (PNG, base64) with 256 colours: half the size, and the same to the eye."""
    from PIL import Image

    small = io.BytesIO()
    with Image.open(io.BytesIO(base64.b64decode(png))) as image:
        white = Image.new("RGBA", image.size, "white")
        white.alpha_composite(image.convert("RGBA"))
    white.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return base64.b64encode(small.getvalue()).decode()


def text_of(output):
    return output["text"] if isinstance(output["text"], str) else "".join(output["text"])


def machine_paths(text):
    """Folders of this machine that `text` names."""
    folders = {str(Path.home()), sys.prefix, str(Path(__file__).resolve().parents[1]), tempfile.gettempdir()}
    return [
        folder
        for folder in folders
        if len(folder) > 1 and re.search(rf"(?<![\w.]){re.escape(folder)}/", text)
    ]


def execute_all(root, names, around, at_once=2):
    """Outputs of each chapter in `names`, executed in a copy and kept for later builds; and the seconds of each."""
    spent = {}

    def one(name, copy):
        start = time.monotonic()
        try:
            outputs = execute(copy / name, cores=max(1, (os.cpu_count() or 1) // at_once))
        except BookError as error:
            return name, error
        spent[name] = time.monotonic() - start
        print(f"{name.as_posix()}: executed in {spent[name]:.0f} s", flush=True)
        return name, outputs

    with copy_of(root) as copy, ThreadPoolExecutor(min(at_once, os.cpu_count() or 1)) as pool:
        results = dict(pool.map(partial(one, copy=copy), names))
    for name, outputs in results.items():
        if not isinstance(outputs, BookError):
            entry = kept_outputs(root, name, around)
            write_whole(entry, json.dumps(outputs))
            for old in set(entry.parent.glob(f"{name.stem}-*.json")) - {entry}:
                old.unlink()
    wrong = [str(outputs) for outputs in results.values() if isinstance(outputs, BookError)]
    if wrong:
        raise BookError("\n".join(wrong))
    return results, spent


def kept_outputs(root, name, around):
    """Where the outputs of a chapter's present code in these surroundings are kept, if it was executed."""
    code = [source(cell) for cell in code_cells(read_notebook(root / name))]
    return root / "_build" / "executed" / f"{name.stem}-{digest([around, *code])[:24]}.json"


def with_outputs(notebook, outputs):
    """The notebook as text, in one fixed form, holding `outputs`."""
    for number, (cell, fresh) in enumerate(zip(code_cells(notebook), outputs, strict=True), 1):
        cell["outputs"], cell["execution_count"] = fresh, number
    for cell in notebook["cells"]:
        cell.get("metadata", {}).pop("execution", None)
        cell["source"] = source(cell).splitlines(keepends=True)
        for output in cell.get("outputs", []):
            if output["output_type"] == "stream":
                output["text"] = text_of(output).splitlines(keepends=True)
    notebook["metadata"] = NOTEBOOK_METADATA
    return json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


# --- rendering -----------------------------------------------------------------------------------------


@contextmanager
def copy_of(root):
    """A copy of the book below `_build/`, so that neither execution nor rendering touches the originals."""
    build = root / "_build"
    build.mkdir(exist_ok=True)
    for left in build.glob("work-*"):  # by runs that were killed
        if time.time() - left.stat().st_mtime > 24 * 3600:
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="work-", dir=build) as folder:
        copy = Path(folder) / "book"
        shutil.copytree(
            root / "book",
            copy / "book",
            ignore=shutil.ignore_patterns(".*", "__pycache__", "_[kmp]*"),
        )
        if (root / "results").is_dir():  # pages include its texts; records are read where they are
            shutil.copytree(
                root / "results", copy / "results", ignore=shutil.ignore_patterns("*.json", "*.npz")
            )
        for name in ("_config.yml", "_toc.yml", "CITATION.cff"):
            if (root / name).exists():
                shutil.copy(root / name, copy)
        write_pages(root, copy)
        yield copy


def write_pages(root, copy):
    """The pages that a program writes, into the copy: those of `_pages.py` that the table of contents lists."""
    sys.path.insert(0, str(Path(__file__).parent))
    import _pages

    for name in table_of_contents(root):
        if maker := _pages.MAKERS.get(name):
            write_whole(copy / f"{name}.md", maker(root))
    own = copy / "book" / "locale" / "ko"
    for name, maker in _pages.KOREAN_MAKERS.items() if own.is_dir() else ():
        write_whole(own / "pages" / f"{name}.md", maker(root))


def sphinx(copy):
    """Make pages from `copy` beside it, warnings as errors; gives their folder."""
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", str(copy)]
    command += ["--path-output", str(copy.parent), "--all", "-W", "-n", "--keep-going"]
    done = subprocess.run(command, capture_output=True, text=True)
    made = copy.parent / "_build" / "html"
    if done.returncode or not (made / "index.html").exists():
        said = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr).replace(f"{copy}{os.sep}", "")
        lines = [line for line in said.splitlines() if re.search(r"\b(WARNING|ERROR|CRITICAL)\b", line)]
        raise BookError("The pages have warnings:\n  " + "\n  ".join(lines or said.splitlines()[-15:]))
    return made


def render(root, copy, to, around):
    """Make pages from `copy` in `to`, in both languages; False if they are there already."""
    sys.path[:0] = [str(root / "book" / "_ext"), str(Path(__file__).parent)]
    import _translate
    from _site import finish as finish_pages
    from repository import about

    here = about(root)
    stamp = digest([around, here, *files_below(copy)])
    if (to / ".stamp").exists() and (to / ".stamp").read_text() == stamp:
        return False
    if to.exists() and any(to.iterdir()) and not (to / ".stamp").exists():
        raise BookError(f"{to} holds something else: name an empty folder, or none.")
    other = _translate.copy_for(copy)
    with ThreadPoolExecutor() as pool:  # both languages at the same time
        made, *others = pool.map(sphinx, [copy, *([other] if other else [])])
    if others:
        _translate.join(made, others[0], other / _translate.MESSAGES)
    try:
        finish_pages(made, here)
    except ValueError as error:
        raise BookError(str(error)) from None
    (made / ".stamp").write_text(stamp)
    fresh = to.with_name(f"{to.name}.{os.getpid()}")
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(made, fresh)
    shutil.rmtree(to, ignore_errors=True)
    fresh.rename(to)
    return True


# --- commands ------------------------------------------------------------------------------------------


def build(root, to):
    around = surroundings(root)
    names = chapters(root)
    entries = {name: kept_outputs(root, name, around) for name in names}
    changed = [name for name in names if not entries[name].exists()]
    if changed:
        print(f"executing {len(changed)} of {len(names)} chapters", flush=True)
        execute_all(root, changed, around)
    with copy_of(root) as copy:
        for name in names:
            outputs = json.loads(entries[name].read_text(encoding="utf-8"))
            write_whole(copy / name, with_outputs(read_notebook(copy / name), outputs))
        finish(root, copy, to, around)


def render_stored(root, to):
    with copy_of(root) as copy:
        finish(root, copy, to, surroundings(root))


def finish(root, copy, to, around):
    start = time.monotonic()
    if render(root, copy, to, around):
        print(f"rendered in {time.monotonic() - start:.0f} s", flush=True)
    else:
        print("nothing changed")
    inside = to.is_relative_to(Path.cwd())
    print(f"open {(to.relative_to(Path.cwd()) if inside else to) / 'index.html'}")


def write_zip(root, to):
    render_stored(root, to)
    from _site import archive
    from repository import about

    licence = root / "LICENSE"
    whole = archive.write(to, to.parent, about(root).version, licence if licence.exists() else None)
    print(f"{whole.name}: {whole.stat().st_size / 1e6:.1f} MB, in {to.parent.name}")


def in_words(seconds):
    """A run time as a reader wants it, rounded up.

    >>> in_words(2.1), in_words(31), in_words(100)
    ('5 seconds', '45 seconds', '2 minutes')
    """
    steps = [5, 10, 15, 20, 30, 45, 60, 90]
    step = next((s for s in steps if seconds <= s), None)
    if step is None or step == 60:
        minutes = 1 if step else -(-int(seconds) // 60)
        return "1 minute" if minutes == 1 else f"{minutes} minutes"
    return "a minute and a half" if step == 90 else f"{step} seconds"


def measured(root, spent):
    """The run times in `book/times.json`, by chapter, renewed where they are off by half or more."""
    path = root / "book" / "times.json"
    times = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for name, seconds in spent.items():
        if not 2 / 3 < seconds / times.get(name.stem, 1e-9) < 3 / 2:
            times[name.stem] = round(seconds, 1)
    times = {name.stem: times[name.stem] for name in chapters(root) if name.stem in times}
    write_whole(path, json.dumps(times, indent=1) + "\n")
    return times


RUN_TIME = re.compile(r"(the code runs in )(.+?)( on two CPU cores)")


def with_time(notebook, seconds):
    """The notebook with its measured run time in its first cell."""
    head = notebook["cells"][0]
    head["source"] = RUN_TIME.sub(rf"\g<1>{in_words(seconds)}\g<3>", source(head))
    return notebook


def refresh(root, only=""):
    around = surroundings(root)
    names = [name for name in chapters(root) if name.stem.startswith(only)]
    results, spent = execute_all(root, names, around, at_once=1)  # alone, because its time is kept
    times = measured(root, spent)
    for name, outputs in results.items():
        text = with_outputs(with_time(read_notebook(root / name), times[name.stem]), outputs)
        if text != (root / name).read_text(encoding="utf-8"):
            write_whole(root / name, text)
            print(f"{name.as_posix()}: stored")


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["build", "render", "refresh", "zip"])
    parser.add_argument(
        "--root", type=Path, default=Path(__file__).resolve().parents[1], help="the book's folder"
    )
    parser.add_argument("--only", default="", help="refresh: chapters whose name begins so, such as 07")
    parser.add_argument("--to", type=Path, help="where the pages go (default: _build/html below the root)")
    options = parser.parse_args(arguments)
    root = options.root.resolve()
    to = (options.to or root / "_build" / "html").resolve()
    try:
        if options.command == "refresh":
            refresh(root, options.only)
        else:
            {"build": build, "render": render_stored, "zip": write_zip}[options.command](root, to)
    except BookError as error:
        sys.exit(f"The book was not made.\n{error}")
    except KeyboardInterrupt:
        sys.exit("Stopped. What was there before is still there.")


if __name__ == "__main__":
    if sys.argv[1:2] == ["_execute"]:
        execute_here(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        main()
