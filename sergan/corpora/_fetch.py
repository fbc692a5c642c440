"""Downloads to trust: verified before they get their names, repeated when they fail, resumed when killed.

All work happens in `.sergan-download/` inside the target folder and is moved from there, so that nothing
half-written ever bears a corpus file's name. What was verified is noted in `.sergan-fetch.json`.
"""

import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
import zipfile
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from threading import Event
from typing import TypeVar
from urllib.parse import quote

import pooch
import requests
from tqdm.auto import tqdm

from sergan import SerganError
from sergan.corpora._base import FetchError
from sergan.corpora._remote import Archive, Repository
from sergan.files import alone

STAGING = ".sergan-download"
NOTE = ".sergan-fetch.json"
LOCK = "lock"

#: Downloads of single files at a time.
THREADS = 8

#: Bytes between two writes.
CHUNK = 1 << 18

#: No wait between two tries is longer, whatever a server asks for.
LONGEST_WAIT_S = 120

#: HTTP answers that may be different next time.
PASSING = (408, 425, 429, 500, 502, 503, 504)

_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\noid sha256:([0-9a-f]{64})\nsize (\d+)\n"
)

T = TypeVar("T")


@dataclass(frozen=True)
class Manner:
    """How patient a download is, and whether it shows progress."""

    timeout_s: float = 60
    retries: int = 5
    wait_s: float = 2
    progress: bool = True


class _Refused(FetchError):
    """An archive that was published, yet is not safe or sound to unpack."""


class _Failed(Exception):
    """A try that failed and may be repeated, after `wait_s` seconds where the server said so."""

    def __init__(self, message: str, wait_s: float = 0):
        super().__init__(message)
        self.wait_s = wait_s


def fetch(remote: Archive | Repository, to: Path, how: Manner, by_hand: str) -> None:
    """Bring every file of `remote` into `to`, verified; without a request where they are all there.

    FetchError, one sentence, where that cannot be done; what was verified until then is kept.
    """
    staging = to / STAGING
    try:
        if to.exists() and not to.is_dir():
            raise FetchError(f"{to} is a file, not a folder: give another folder.")
        if _all_there(remote, to):
            if staging.exists():  # the last call was killed, or was not allowed, before it went
                with suppress(SerganError), _alone(staging):
                    shutil.rmtree(staging, ignore_errors=True)
            return
        staging.mkdir(parents=True, exist_ok=True)
        with _alone(staging):
            take = _take_archive if isinstance(remote, Archive) else _take_repository
            files = take(remote, to, staging, how, by_hand)
            _note(remote, to, staging, files)
            shutil.rmtree(staging, ignore_errors=True)
    except _Failed as failed:
        raise FetchError(f"{failed}: run the same command again, or {by_hand}.") from None
    except OSError as error:
        where = error.filename or to
        raise FetchError(f"{where}: {error.strerror or error}: make room or mend permissions.") from None
    finally:
        with suppress(OSError):
            staging.rmdir()  # where nothing in it is worth keeping


@contextmanager
def _alone(staging: Path) -> Iterator[None]:
    """Inside, nobody else downloads to the same folder: two would write to each other's drafts.

    What is left of an archive that was refused goes at the end, and the lock where it is all that is left.
    """
    lock = staging / LOCK
    try:
        with alone(lock, "download"):
            try:
                yield
            except _Refused:
                shutil.rmtree(staging, ignore_errors=True)
                raise
            finally:
                with suppress(OSError):  # on Windows, where the file is open, it goes below
                    if list(staging.iterdir()) == [lock]:
                        lock.unlink()
    finally:
        with suppress(OSError):
            if os.name != "posix" and list(staging.iterdir()) == [lock]:
                lock.unlink()  # fails where another process has it


# What was verified -----------------------------------------------------------------------------------------


def _identity(remote: Archive | Repository) -> str:
    return remote.known_hash if isinstance(remote, Archive) else remote.commit


def _note(remote: Archive | Repository, to: Path, staging: Path, files: list[str]) -> None:
    """Write down what lies in `to`, so that a later call can verify it without the network."""
    sums = {file: pooch.file_hash(str(to / file)) for file in sorted(files)}
    draft = staging / NOTE
    draft.write_text(json.dumps({"source": _identity(remote), "sha256": sums}, indent=0), encoding="utf-8")
    os.replace(draft, to / NOTE)


def _all_there(remote: Archive | Repository, to: Path) -> bool:
    try:
        note = json.loads((to / NOTE).read_text(encoding="utf-8"))
        if note["source"] != _identity(remote):
            return False
        return all(
            (to / file).is_file() and pooch.file_hash(str(to / file)) == known
            for file, known in note["sha256"].items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False  # no note, or one that nobody can read: look at the files themselves


# One file over HTTP ----------------------------------------------------------------------------------------


class _Limited:
    """A file for pooch to write to that takes no more than was published."""

    def __init__(self, path: str, limit: int, url: str):
        self.file, self.left, self.url = open(path, "wb"), limit, url  # noqa: SIM115

    def write(self, data: bytes) -> None:
        self.left -= len(data)
        if self.left < 0:
            raise _Failed(f"{self.url} sends more than was published")
        self.file.write(data)

    def flush(self) -> None:
        """Not after every chunk, as pooch would have it."""


def _download(
    url: str, known_hash: str, size: int, path: Path, how: Manner, bar: tqdm | bool = False
) -> Path:
    """One try at getting `url` to `path`, verified; at once where it lies there verified already."""

    def write(url: str, output: str, _pooch: object) -> None:
        limited = _Limited(output, size, url)
        with limited.file:
            get = pooch.HTTPDownloader(progressbar=bar, chunk_size=CHUNK, timeout=how.timeout_s)
            get(url, limited, None)

    try:
        pooch.retrieve(url, known_hash, fname=path.name, path=path.parent, downloader=write)
    except requests.HTTPError as error:
        status = error.response.status_code
        if status in PASSING:
            asked = error.response.headers.get("Retry-After", "")
            wait_s = float(asked) if asked.isdigit() else 0
            raise _Failed(f"{url} answered {status}", wait_s) from None
        raise FetchError(f"{url} answered {status} {error.response.reason}.") from None
    except requests.Timeout:
        raise _Failed(f"{url} did not answer for {how.timeout_s:g} seconds") from None
    except requests.RequestException as error:
        raise _Failed(f"{url} broke off ({type(error).__name__})") from None
    except ValueError:
        raise _Failed(f"what {url} sent is not what was published ({known_hash})") from None
    return path


def _patiently(act: Callable[[], T], how: Manner, by_hand: str, stop: Event | None = None) -> T:
    """`act` until it succeeds, `how.retries` times more than once, or until another thread says `stop`."""
    stop = stop or Event()
    for again in range(how.retries + 1):
        try:
            return act()
        except FetchError as error:
            raise FetchError(f"{str(error).rstrip('.')}: {by_hand}.") from None
        except _Failed as failed:
            if again == how.retries:
                tries = "1 try" if again == 0 else f"{again + 1} tries"
                raise FetchError(
                    f"{failed}, after {tries}: run the same command again later (what is verified stays), or "
                    f"{by_hand}."
                ) from None
            if stop.wait(min(max(how.wait_s * 2**again, failed.wait_s), LONGEST_WAIT_S)):
                raise FetchError(f"{failed}: given up.") from None
    raise AssertionError("unreachable")


@contextmanager
def _quiet_pooch() -> Iterator[None]:
    """pooch names every file it gets; one bar says more."""
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel("WARNING")
    try:
        yield
    finally:
        logger.setLevel(level)


# A ZIP archive ---------------------------------------------------------------------------------------------


def _take_archive(remote: Archive, to: Path, staging: Path, how: Manner, by_hand: str) -> list[str]:
    archive = staging / "archive.zip"

    def get() -> Path:
        if not how.progress:
            return _download(remote.url, remote.known_hash, remote.size_bytes, archive, how)
        with tqdm(total=remote.size_bytes, unit="B", unit_scale=True, desc="download") as bar:
            return _download(remote.url, remote.known_hash, remote.size_bytes, archive, how, bar)

    with _quiet_pooch():
        _patiently(get, how, by_hand)
    return _unpack(archive, to, staging, remote.unpacked_bytes, how)


def _unpack(archive: Path, to: Path, staging: Path, limit: int, how: Manner) -> list[str]:
    """Every file of the ZIP at its place in `to`; _Refused, and nothing unpacked, where one is not plain."""
    try:
        with zipfile.ZipFile(archive) as zipped:
            members = [member for member in zipped.infolist() if not member.is_dir()]
            for member in members:
                _refuse_odd(member)
                _inside(to, member.filename)
            members = [member for member in members if not _is_clutter(member.filename)]
            size = sum(member.file_size for member in members)
            if size > limit:
                raise _Refused(f"The archive would unpack to {size:,} bytes, more than {limit:,}: refused.")
            free = shutil.disk_usage(to).free
            if size > free:
                raise FetchError(f"{to} has {free:,} bytes free of {size:,} needed: make room.")
            for member in tqdm(members, desc="unpack", unit="file", disable=not how.progress):
                place = _inside(to, member.filename)
                if place.is_file() and _crc(place) == (member.file_size, member.CRC):
                    continue
                draft = staging / "member"
                # zipfile reads no more than file_size and compares the member's CRC at the end.
                with zipped.open(member) as source, draft.open("wb") as target:
                    shutil.copyfileobj(source, target, CHUNK)
                place.parent.mkdir(parents=True, exist_ok=True)
                os.replace(draft, place)
    except FetchError:
        raise
    except (
        zipfile.BadZipFile,
        zlib.error,
        ArithmeticError,
        LookupError,
        ValueError,
        RuntimeError,
        EOFError,
    ) as error:
        raise _Refused(f"The archive is broken ({error}): run the same command again.") from None
    return [member.filename for member in members]


def _refuse_odd(member: zipfile.ZipInfo) -> None:
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise _Refused(f"The archive holds {member.filename!r}, which is no plain file: refused.")
    if member.flag_bits & 0x1:
        raise _Refused(f"The archive holds {member.filename!r}, which is encrypted: refused.")


def _is_clutter(name: str) -> bool:
    return any(part == "__MACOSX" or part.startswith("._") for part in PurePosixPath(name).parts)


def _inside(to: Path, name: str) -> Path:
    """The place of `name` in `to`; _Refused where it would be elsewhere, on this or another system."""
    windows, posix = PureWindowsPath(name), PurePosixPath(name)
    plain = posix.parts and ".." not in (*windows.parts, *posix.parts) and not windows.anchor
    if not plain or posix.is_absolute() or "\\" in name or "\0" in name or ":" in name:
        raise _Refused(f"The download holds {name!r}, a path that leads outside: refused.")
    place = to.joinpath(*posix.parts)
    # A link that already lies in the target may lead out of it.
    if not place.resolve().is_relative_to(to.resolve()):
        raise FetchError(f"{place} leads out of {to} through a link: give another folder.")
    return place


def _crc(path: Path) -> tuple[int, int]:
    crc = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            crc = zlib.crc32(chunk, crc)
        return file.tell(), crc


# A Git repository ------------------------------------------------------------------------------------------


def _take_repository(remote: Repository, to: Path, staging: Path, how: Manner, by_hand: str) -> list[str]:
    if shutil.which("git") is None:
        raise FetchError(
            f"This corpus is fetched with the program git, which is not here: install it, or {by_hand}."
        )
    bare = staging / "git"
    # A killed git may leave locks behind; what it had fetched is in its place already.
    shutil.rmtree(bare, ignore_errors=True)
    _git("init", "--quiet", "--bare", "--template=", str(bare), how=how)
    git = f"--git-dir={bare}"
    _git(git, "remote", "add", "origin", remote.url, how=how)

    def ask(*wanted: str) -> Callable[[], bytes]:
        # `--filter` leaves the files for later: the commit alone brings the tree of their hashes.
        options = ("--quiet", "--no-tags", "--filter=blob:none")
        return lambda: _git(git, "fetch", *options, "origin", *wanted, how=how)

    _patiently(ask("--depth=1", remote.commit), how, by_hand)
    listed = _git(git, "ls-tree", "-r", "-z", "--full-tree", remote.commit, "--", *remote.paths, how=how)
    tree = _plain_files(listed)
    if not tree:
        raise FetchError(f"{remote.url} has no {remote.paths[0]} at {remote.commit[:12]}: {by_hand}.")
    places = {path: _inside(to, path) for path in tree}

    lacking = [path for path, blob in tree.items() if not _is_blob(places[path], blob)]
    with tqdm(total=len(tree), unit="file", desc="fetch", disable=not how.progress) as bar:
        bar.update(len(tree) - len(lacking))
        for start in range(0, len(lacking), remote.batch):
            batch = lacking[start : start + remote.batch]
            _patiently(ask(*sorted({tree[path] for path in batch})), how, by_hand)
            large = {}
            for path, content in _contents(bare, [(path, tree[path]) for path in batch], how):
                if remote.media and (pointer := _POINTER.fullmatch(content)):
                    large[path] = (pointer[1].decode(), int(pointer[2]))
                    continue
                _put(content, places[path], staging)
                bar.update()
            _take_large(remote, large, places, staging, how, by_hand, bar)
    return list(tree)


def _take_large(
    remote: Repository,
    large: dict[str, tuple[str, int]],
    places: dict[str, Path],
    staging: Path,
    how: Manner,
    by_hand: str,
    bar: tqdm,
) -> None:
    """The files of one batch that are kept in Git LFS: path -> (SHA-256, size)."""

    stop = Event()

    def take(path: str) -> None:
        sha256, size = large[path]
        place = places[path]
        if place.is_file() and place.stat().st_size == size and pooch.file_hash(str(place)) == sha256:
            return
        # Several files may have one content, so that the draft is named by its path.
        draft = staging / hashlib.sha256(path.encode()).hexdigest()
        url = remote.media + quote(path)
        _patiently(lambda: _download(url, f"sha256:{sha256}", size, draft, how), how, by_hand, stop)
        place.parent.mkdir(parents=True, exist_ok=True)
        os.replace(draft, place)

    with _quiet_pooch(), ThreadPoolExecutor(THREADS) as pool:
        taken = [pool.submit(take, path) for path in large]
        try:
            for done in as_completed(taken):
                done.result()
                bar.update()
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _git(*arguments: str, how: Manner, feed: bytes | None = None) -> bytes:
    """What git answers; _Failed with its last word where it fails."""
    # A hook or a surrounding repository must not be meant; nor may git ask for a password.
    foreign = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR")
    environment = {key: value for key, value in os.environ.items() if key not in foreign}
    environment |= {"GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}
    slow = ("-c", "http.lowSpeedLimit=1000", "-c", f"http.lowSpeedTime={max(1, round(how.timeout_s))}")
    done = subprocess.run(["git", *slow, *arguments], input=feed, capture_output=True, env=environment)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines() or [f"ended with {done.returncode}"]
        raise _Failed(f"git failed ({said[-1].strip()})")
    return done.stdout


def _plain_files(listing: bytes) -> dict[str, str]:
    """Path -> blob id from `git ls-tree -r -z`; links and submodules are passed over."""
    files = {}
    for entry in filter(None, listing.split(b"\0")):
        meta, _, path = entry.partition(b"\t")
        mode, _, blob = meta.decode().split(" ")
        if mode in ("100644", "100755"):
            files[path.decode("utf-8", errors="surrogateescape")] = blob
    return files


def _blob_id(content: bytes) -> str:
    """The id under which Git keeps a file: the SHA-1 over a header and its content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _is_blob(path: Path, blob: str) -> bool:
    return path.is_file() and _blob_id(path.read_bytes()) == blob


def _contents(bare: Path, wanted: list[tuple[str, str]], how: Manner) -> Iterator[tuple[str, bytes]]:
    """(path, content) of blobs that have been fetched, each verified once more by its id."""
    feed = "".join(f"{blob}\n" for _, blob in wanted).encode()
    answer = _git(f"--git-dir={bare}", "cat-file", "--batch", how=how, feed=feed)
    start = 0
    for path, blob in wanted:
        end = answer.index(b"\n", start)
        head = answer[start:end].split(b" ")
        if head[:2] != [blob.encode(), b"blob"]:
            raise FetchError(f"git did not deliver {path}: run the same command again.")
        content = answer[end + 1 : end + 1 + int(head[2])]
        if _blob_id(content) != blob:
            raise FetchError(f"{path} is not what the pinned commit holds: run the same command again.")
        yield path, content
        start = end + 2 + int(head[2])


def _put(content: bytes, place: Path, staging: Path) -> None:
    draft = staging / "file"
    draft.write_bytes(content)
    place.parent.mkdir(parents=True, exist_ok=True)
    os.replace(draft, place)
