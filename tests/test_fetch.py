"""Downloads against a local server and a local repository: nothing here leaves this machine."""

import hashlib
import http.server
import io
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
import wave
import zipfile
from pathlib import Path

import pytest

from sergan import corpora, files
from sergan.corpora import FetchError, _fetch, cremad, emodb, nemo, ravdess
from sergan.corpora._remote import Archive, Repository

#: Impatient, and silent.
QUICK = {"timeout_s": 0.3, "retries": 2, "wait_s": 0.01, "progress": False}
HOW = _fetch.Manner(**QUICK)


class Server:
    """A local HTTP server that answers each path with a list of answers in turn, the last one ever after.

    An answer is (status, headers, body); a body that is a function gets the open connection.
    """

    def __init__(self):
        self.answers, self.asked = {}, []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked.append(self.path)
                answers = outer.answers.get(self.path, [(404, {}, b"")])
                status, headers, body = answers.pop(0) if len(answers) > 1 else answers[0]
                self.send_response(status)
                if isinstance(body, bytes):
                    headers = {"Content-Length": str(len(body))} | headers
                for header in headers.items():
                    self.send_header(*header)
                self.end_headers()
                body(self) if callable(body) else self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def put(self, path: str, *answers: tuple | bytes) -> str:
        self.answers[path] = [
            (200, {}, answer) if isinstance(answer, bytes) else answer for answer in answers
        ]
        return self.url + path


@pytest.fixture
def server():
    server = Server()
    yield server
    server.http.shutdown()
    server.http.server_close()


def audio(frames: int = 800) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(os.urandom(2 * frames))
    return buffer.getvalue()


def zipped(members: dict[str | zipfile.ZipInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    return buffer.getvalue()


def archive(url: str, content: bytes, unpacked_bytes: int = 10**6) -> Archive:
    return Archive(url, "md5:" + hashlib.md5(content).hexdigest(), len(content), unpacked_bytes)


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, without the note of what was verified."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in sorted(files.items()) if name != _fetch.NOTE}


SPEECH = {f"Actor_01/03-01-0{emotion}-01-01-01-01.wav": audio() for emotion in range(1, 9)}


@pytest.fixture
def speech(server, monkeypatch):
    """RAVDESS, moved to the local server as eight short files."""
    content = zipped({"Actor_01/": b"", **SPEECH})
    monkeypatch.setattr(ravdess, "REMOTE", archive(server.put("/speech.zip", content), content))
    return content


# What is fetched, and from where ---------------------------------------------------------------------------


@pytest.mark.parametrize("module", [ravdess, emodb])
def test_archives_are_pinned_by_a_published_hash_over_https(module):
    assert module.REMOTE.url.startswith("https://zenodo.org/records/")
    kind, _, digest = module.REMOTE.known_hash.partition(":")
    assert len(bytes.fromhex(digest)) == {"md5": 16, "sha256": 32}[kind]
    assert 10**7 < 5 * module.REMOTE.size_bytes < module.REMOTE.unpacked_bytes < 10 * module.REMOTE.size_bytes


@pytest.mark.parametrize("module", [nemo, cremad])
def test_repositories_are_pinned_by_a_whole_commit_over_https(module):
    assert module.REMOTE.url.startswith("https://github.com/")
    assert len(bytes.fromhex(module.REMOTE.commit)) == 20
    media = (
        f"https://media.githubusercontent.com/media/CheyneyComputerScience/CREMA-D/{module.REMOTE.commit}/"
    )
    assert module.REMOTE.media == (media if module is cremad else "")
    assert {nemo: "samples", cremad: "AudioWAV"}[module] in module.REMOTE.paths and len(
        module.REMOTE.paths
    ) == 3


@pytest.mark.parametrize("name", ["iemocap", "table", "demo"])
def test_what_cannot_be_fetched_says_where_to_get_it(name, tmp_path):
    with pytest.raises(FetchError, match=f'"{name}" cannot be fetched: '):
        corpora.fetch(name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_iemocap_is_asked_for_by_hand(tmp_path):
    with pytest.raises(FetchError, match=r"ask for it at https://sail\.usc\.edu/iemocap/"):
        corpora.fetch("iemocap", tmp_path)


# An archive ------------------------------------------------------------------------------------------------


def test_an_archive_is_fetched_verified_unpacked_and_checked(speech, tmp_path):
    verdict = corpora.fetch("ravdess", tmp_path / "new" / "ravdess", **QUICK)
    assert tree(tmp_path / "new" / "ravdess") == SPEECH
    assert verdict.table.loc[("01", "angry")].tolist() == [8, 1]
    assert len(corpora.load("ravdess", tmp_path / "new" / "ravdess", classes="all")) == 8


def test_with_a_bar_the_same_comes_down(speech, server, tmp_path, capfd):
    corpora.fetch("ravdess", tmp_path, **QUICK | {"progress": True})
    assert tree(tmp_path) == SPEECH and server.asked == ["/speech.zip"]
    assert "download: 100%" in capfd.readouterr().err


def test_licence_and_citation_come_before_the_first_request(speech, server, tmp_path, capsys, monkeypatch):
    shown = []
    monkeypatch.setattr(
        _fetch, "fetch", lambda *_, **__: shown.append((capsys.readouterr().out, list(server.asked)))
    )
    with pytest.raises(corpora.CorpusError):
        corpora.fetch("ravdess", tmp_path / "none", **QUICK)
    text, asked = shown[0]
    assert "Licence: CC BY-NC-SA 4.0" in text and "@article{livingstone2018ravdess" in text
    assert asked == []


def test_what_is_verified_is_not_fetched_again(speech, server, tmp_path):
    corpora.fetch("ravdess", tmp_path, **QUICK)
    corpora.fetch("ravdess", tmp_path, **QUICK)
    assert server.asked == ["/speech.zip"]


@pytest.mark.parametrize("harm", ["lost", "altered", "shortened", "note lost", "note broken"])
def test_what_was_harmed_is_made_good(harm, speech, tmp_path):
    corpora.fetch("ravdess", tmp_path, **QUICK)
    victim = tmp_path / next(iter(SPEECH))
    if harm == "lost":
        victim.unlink()
    elif harm == "altered":
        victim.write_bytes(victim.read_bytes()[:-1] + b"\0")
    elif harm == "shortened":
        victim.write_bytes(victim.read_bytes()[:-1])
    elif harm == "note lost":
        (tmp_path / _fetch.NOTE).unlink()
    else:
        (tmp_path / _fetch.NOTE).write_text('{"source": 1')
    corpora.fetch("ravdess", tmp_path, **QUICK)
    assert tree(tmp_path) == SPEECH


def test_what_a_killed_fetch_no_longer_needs_goes_the_next_time_unless_another_fetch_is_at_it(
    speech, tmp_path
):
    corpora.fetch("ravdess", tmp_path, **QUICK)
    left = tmp_path / _fetch.STAGING
    left.mkdir()
    (left / "archive.zip").write_bytes(speech)
    with files.alone(left / _fetch.LOCK, "download"):
        corpora.fetch("ravdess", tmp_path, **QUICK)
        assert (left / "archive.zip").exists()
    corpora.fetch("ravdess", tmp_path, **QUICK)
    assert tree(tmp_path) == SPEECH and not left.exists()


def test_other_files_in_the_folder_are_left_alone(speech, tmp_path):
    (tmp_path / "Actor_01").mkdir()
    (tmp_path / "Actor_01" / "notes.txt").write_text("mine")
    corpora.fetch("ravdess", tmp_path, **QUICK)
    assert (tmp_path / "Actor_01" / "notes.txt").read_text() == "mine"


def test_an_archive_that_arrived_before_a_break_is_not_fetched_again(speech, server, tmp_path, monkeypatch):
    real = os.replace
    done = []

    def broken(source, target):
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(target)
        real(source, target)

    monkeypatch.setattr(os, "replace", broken)
    with pytest.raises(KeyboardInterrupt):
        corpora.fetch("ravdess", tmp_path, **QUICK)
    assert set(path.name for path in tmp_path.glob("Actor_01/*")) < {Path(name).name for name in SPEECH}
    monkeypatch.setattr(os, "replace", real)
    corpora.fetch("ravdess", tmp_path, **QUICK)
    assert server.asked == ["/speech.zip"]
    assert tree(tmp_path) == SPEECH


def test_a_redirect_is_followed(speech, server, tmp_path):
    server.put("/here.zip", (302, {"Location": "/speech.zip", "Content-Length": "0"}, b""))
    here = archive(server.url + "/here.zip", speech)
    _fetch.fetch(here, tmp_path, HOW, "by hand")
    assert tree(tmp_path) == SPEECH and server.asked == ["/here.zip", "/speech.zip"]


def test_a_server_in_trouble_is_asked_again(speech, server, tmp_path):
    server.put("/speech.zip", (500, {}, b""), (429, {"Retry-After": "0"}, b""), speech)
    corpora.fetch("ravdess", tmp_path, **QUICK)
    assert tree(tmp_path) == SPEECH and len(server.asked) == 3


def nothing_remains(folder: Path) -> bool:
    return [path for path in folder.rglob("*") if path.is_file() or path.name == _fetch.STAGING] == []


def test_a_server_in_lasting_trouble_is_given_up(speech, server, tmp_path):
    server.put("/speech.zip", (503, {}, b""))
    with pytest.raises(
        FetchError, match=r"speech.zip answered 503, after 3 tries: run the same command again"
    ):
        corpora.fetch("ravdess", tmp_path, **QUICK)
    assert len(server.asked) == 3 and nothing_remains(tmp_path)


def test_a_missing_file_is_not_asked_for_twice(speech, server, tmp_path):
    server.answers.clear()
    with pytest.raises(FetchError, match=r"answered 404 Not Found: take it by hand from https://zenodo"):
        corpora.fetch("ravdess", tmp_path, **QUICK)
    assert len(server.asked) == 1 and nothing_remains(tmp_path)


def test_a_closed_port_is_said_in_one_sentence(tmp_path):
    with pytest.raises(FetchError, match=r"broke off \(ConnectionError\), after 1 try") as caught:
        _fetch.fetch(
            archive("http://127.0.0.1:9/x.zip", b""), tmp_path, _fetch.Manner(0.3, 0, 0, False), "by hand"
        )
    assert "\n" not in str(caught.value) and nothing_remains(tmp_path)


@pytest.mark.parametrize("length", [True, False], ids=["length told", "length not told"])
def test_a_truncated_answer_is_repeated(length, speech, server, tmp_path):
    def half(handler):
        handler.wfile.write(speech[: len(speech) // 2])

    headers = {"Content-Length": str(len(speech))} if length else {}
    server.put("/speech.zip", (200, headers, half), speech)
    corpora.fetch("ravdess", tmp_path, **QUICK)
    assert tree(tmp_path) == SPEECH and len(server.asked) == 2


def test_a_tampered_archive_leaves_nothing(speech, server, tmp_path):
    other = bytearray(speech)
    other[100] ^= 1
    server.put("/speech.zip", bytes(other))
    with pytest.raises(FetchError, match=r"is not what was published \(md5:[0-9a-f]{32}\)"):
        corpora.fetch("ravdess", tmp_path, **QUICK)
    assert nothing_remains(tmp_path)


def test_an_endless_answer_is_cut_off(speech, server, tmp_path):
    sent = []

    def endless(handler):
        try:
            while len(sent) < 2000:
                handler.wfile.write(bytes(1 << 16))
                sent.append(1)
        except OSError:
            pass

    server.put("/speech.zip", (200, {}, endless))
    with pytest.raises(FetchError, match="sends more than was published"):
        corpora.fetch("ravdess", tmp_path, **QUICK | {"retries": 0})
    assert len(sent) < 2000 and nothing_remains(tmp_path)


def test_a_stalled_answer_is_given_up(speech, server, tmp_path):
    def stall(handler):
        handler.wfile.write(speech[:100])
        handler.wfile.flush()
        time.sleep(1)

    server.put("/speech.zip", (200, {"Content-Length": str(len(speech))}, stall))
    start = time.monotonic()
    with pytest.raises(FetchError, match="after 1 try"):
        corpora.fetch("ravdess", tmp_path, **QUICK | {"retries": 0, "timeout_s": 0.1})
    assert time.monotonic() - start < 1 and nothing_remains(tmp_path)


def test_the_target_may_not_be_a_file(speech, server, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(FetchError, match="is a file, not a folder"):
        corpora.fetch("ravdess", tmp_path / "file", **QUICK)
    assert server.asked == [] and (tmp_path / "file").read_text() == "mine"


def test_a_full_disk_is_said_before_unpacking(speech, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: type("", (), {"free": 10})())
    with pytest.raises(FetchError, match=r"has 10 bytes free of [\d,]+ needed: make room"):
        corpora.fetch("ravdess", tmp_path, **QUICK)
    assert [path.name for path in tmp_path.iterdir()] == [_fetch.STAGING]


# Archives that mean harm -----------------------------------------------------------------------------------


def link(name: str, kind: int) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name)
    member.create_system = 3
    member.external_attr = (kind | 0o777) << 16
    return member


HARM = {
    "parent": {"../outside.wav": b"x"},
    "parent below": {"Actor_01/../../outside.wav": b"x"},
    "absolute": {"/outside.wav": b"x"},
    "drive": {"C:/outside.wav": b"x"},
    "backslashes": {"..\\outside.wav": b"x"},
    "share": {"\\\\server\\share\\outside.wav": b"x"},
    "symbolic link": {link("Actor_01/link", stat.S_IFLNK): b"../../outside.wav"},
    "link, then through it": {link("link", stat.S_IFLNK): b"..", "link/outside.wav": b"x"},
    "device": {link("Actor_01/device", stat.S_IFCHR): b""},
    "pipe": {link("Actor_01/pipe", stat.S_IFIFO): b""},
}


@pytest.mark.parametrize("harm", HARM)
def test_a_harmful_archive_is_refused_whole(harm, server, tmp_path):
    content = zipped({**SPEECH, **HARM[harm]})
    target = tmp_path / "deep" / "target"
    with pytest.raises(FetchError, match=r"(leads outside|is no plain file): refused"):
        _fetch.fetch(archive(server.put("/x.zip", content), content), target, HOW, "by hand")
    assert nothing_remains(tmp_path) and not list(target.iterdir())


def test_an_encrypted_archive_is_refused(server, tmp_path):
    content = bytearray(zipped({"Actor_01/03-01-05-01-01-01-01.wav": b"x"}))
    content[content.index(b"PK\x01\x02") + 8] |= 1  # the flag in the archive's table of contents
    with pytest.raises(
        FetchError, match=r"holds 'Actor_01/03-01-05-01-01-01-01\.wav', which is encrypted: refused"
    ):
        _fetch.fetch(archive(server.put("/x.zip", bytes(content)), bytes(content)), tmp_path, HOW, "by hand")
    assert nothing_remains(tmp_path)


def test_downloads_are_patient_and_show_their_progress_unless_asked_otherwise():
    assert _fetch.Manner() == _fetch.Manner(timeout_s=60, retries=5, wait_s=2, progress=True)


def test_an_archive_that_swells_is_refused(server, tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("large.wav", bytes(2_000_000))
    content = buffer.getvalue()
    assert len(content) < 10_000
    with pytest.raises(FetchError, match="would unpack to 2,000,000 bytes, more than 1,000,000: refused"):
        _fetch.fetch(archive(server.put("/x.zip", content), content), tmp_path, HOW, "by hand")
    assert nothing_remains(tmp_path)


def test_an_archive_that_lies_about_its_size_is_refused(server, tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("large.wav", bytes(2_000_000))
    small, large = (100).to_bytes(4, "little"), (2_000_000).to_bytes(4, "little")
    content = buffer.getvalue().replace(large, small)
    with pytest.raises(FetchError, match="The archive is broken"):
        _fetch.fetch(archive(server.put("/x.zip", content), content), tmp_path, HOW, "by hand")
    assert nothing_remains(tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"no zip at all", zipped(SPEECH)[:-40]], ids=["empty", "text", "cut"]
)
def test_what_is_no_archive_is_refused(content, server, tmp_path):
    with pytest.raises(FetchError, match="The archive is broken"):
        _fetch.fetch(archive(server.put("/x.zip", content), content), tmp_path, HOW, "by hand")
    assert nothing_remains(tmp_path)


def test_a_link_in_the_target_is_not_followed_outside(speech, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "Actor_01").symlink_to(tmp_path / "outside")
    with pytest.raises(FetchError, match=r"leads out of .* through a link"):
        corpora.fetch("ravdess", tmp_path / "target", **QUICK)
    assert not list((tmp_path / "outside").iterdir())


def test_clutter_of_macos_is_not_unpacked(server, tmp_path):
    content = zipped({**SPEECH, "__MACOSX/Actor_01/._x.wav": b"x", "Actor_01/._y.wav": b"y"})
    _fetch.fetch(archive(server.put("/x.zip", content), content), tmp_path, HOW, "by hand")
    assert tree(tmp_path) == SPEECH


# A repository ----------------------------------------------------------------------------------------------


def git(*arguments: str, where: Path) -> str:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    settings = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", *settings, *arguments], cwd=where, env=environment, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


SAMPLES = {f"samples/EB0_anger_{number}.wav": audio() for number in range(1, 8)} | {"data.tsv": b"file_id\n"}


def repository(folder: Path, files: dict[str, bytes]) -> str:
    """A Git repository with the files, as a server like GitHub offers it; its commit."""
    folder.mkdir()
    git("init", "--quiet", where=folder)
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    git("add", "--all", where=folder)
    git("commit", "--quiet", "--message", "audio", where=folder)
    git("config", "uploadpack.allowFilter", "true", where=folder)
    git("config", "uploadpack.allowAnySHA1InWant", "true", where=folder)
    return git("rev-parse", "HEAD", where=folder)


@pytest.fixture
def samples(tmp_path, monkeypatch):
    """nEMO, moved to a local repository as seven short files, with a later commit that spoils one."""
    source = tmp_path / "source"
    commit = repository(source, {**SAMPLES, "large/unwanted.bin": b"x", "README.md": b"x"})
    (source / "samples" / "EB0_anger_1.wav").write_bytes(b"spoiled")
    git("commit", "--quiet", "--all", "--message", "later", where=source)
    remote = Repository(source.as_uri(), commit, ("samples", "data.tsv"), batch=3)
    monkeypatch.setattr(nemo, "REMOTE", remote)
    return remote


def test_a_repository_is_fetched_at_its_commit_and_no_more_of_it(samples, tmp_path):
    verdict = corpora.fetch("nemo", tmp_path / "to", **QUICK)
    assert tree(tmp_path / "to") == SAMPLES
    assert verdict.table.loc[("EB0", "angry")].tolist() == [90, 7]


def test_a_verified_repository_is_not_asked_again(samples, tmp_path):
    corpora.fetch("nemo", tmp_path / "to", **QUICK)
    shutil.rmtree(tmp_path / "source")
    corpora.fetch("nemo", tmp_path / "to", **QUICK)
    assert tree(tmp_path / "to") == SAMPLES


def asked_blobs(monkeypatch) -> list[str]:
    """The ids that git is asked to fetch from now on."""
    asked, real = [], _fetch._git

    def spy(*arguments, **options):
        if "fetch" in arguments and not any(argument.startswith("--depth") for argument in arguments):
            asked.extend(arguments[arguments.index("origin") + 1 :])
        return real(*arguments, **options)

    monkeypatch.setattr(_fetch, "_git", spy)
    return asked


def test_only_what_is_lacking_or_altered_is_fetched(samples, tmp_path, monkeypatch):
    corpora.fetch("nemo", tmp_path / "to", **QUICK)
    (tmp_path / "to" / "samples" / "EB0_anger_2.wav").unlink()
    (tmp_path / "to" / "samples" / "EB0_anger_5.wav").write_bytes(b"altered")
    asked = asked_blobs(monkeypatch)
    corpora.fetch("nemo", tmp_path / "to", **QUICK)
    assert tree(tmp_path / "to") == SAMPLES
    assert set(asked) == {_fetch._blob_id(SAMPLES[f"samples/EB0_anger_{number}.wav"]) for number in (2, 5)}


def test_a_killed_fetch_goes_on_where_it_was(samples, tmp_path, monkeypatch):
    script = f"""
import os, signal
from sergan.corpora import _fetch
from sergan.corpora._remote import Repository
put, done = _fetch._put, []
def killed(*arguments):
    if len(done) == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    done.append(put(*arguments))
_fetch._put = killed
_fetch.fetch({samples!r}, _fetch.Path({str(tmp_path / "to")!r}), _fetch.Manner(progress=False), "by hand")
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True)
    assert ended.returncode == -signal.SIGKILL
    there = {name: content for name, content in tree(tmp_path / "to").items() if not name.startswith(".")}
    assert len(there) == 4 and there.items() <= SAMPLES.items()
    (tmp_path / "to" / _fetch.STAGING / "git" / "shallow.lock").touch()
    asked = asked_blobs(monkeypatch)
    corpora.fetch("nemo", tmp_path / "to", **QUICK)
    assert tree(tmp_path / "to") == SAMPLES
    assert len(asked) == len(SAMPLES) - 4


def test_a_commit_that_the_repository_lacks_is_refused(samples, tmp_path):
    other = Repository(samples.url, "0" * 39 + "1", samples.paths)
    with pytest.raises(FetchError, match=r"git failed \(.*\), after 3 tries"):
        _fetch.fetch(other, tmp_path / "to", HOW, "by hand")
    assert nothing_remains_but_staging(tmp_path / "to")


def nothing_remains_but_staging(folder: Path) -> bool:
    return all(path.name == _fetch.STAGING for path in folder.iterdir())


def test_a_commit_without_the_paths_is_refused(samples, tmp_path):
    other = Repository(samples.url, samples.commit, ("nowhere",))
    with pytest.raises(FetchError, match=r"has no nowhere at [0-9a-f]{12}: by hand"):
        _fetch.fetch(other, tmp_path / "to", HOW, "by hand")


def test_a_repository_in_trouble_is_asked_again(samples, tmp_path, monkeypatch):
    real, failures = _fetch._git, []

    def moody(*arguments, **options):
        if "fetch" in arguments and len(failures) < 2:
            failures.append(1)
            raise _fetch._Failed("git failed (early EOF)")
        return real(*arguments, **options)

    monkeypatch.setattr(_fetch, "_git", moody)
    corpora.fetch("nemo", tmp_path / "to", **QUICK)
    assert tree(tmp_path / "to") == SAMPLES


def test_content_that_git_did_not_hash_so_is_refused(samples, tmp_path, monkeypatch):
    real = _fetch._git

    def lying(*arguments, **options):
        answer = real(*arguments, **options)
        return answer.replace(b"data", b"date") if "cat-file" in arguments else answer

    monkeypatch.setattr(_fetch, "_git", lying)
    with pytest.raises(FetchError, match="is not what the pinned commit holds"):
        corpora.fetch("nemo", tmp_path / "to", **QUICK)


def test_without_git_the_program_is_named(samples, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(FetchError, match=r"with the program git.* install it, or take it by hand from https"):
        corpora.fetch("nemo", tmp_path / "to", **QUICK)


def test_links_in_a_repository_are_passed_over(tmp_path):
    source = tmp_path / "source"
    repository(source, SAMPLES)
    (source / "samples" / "link.wav").symlink_to("../../outside")
    git("add", "--all", where=source)
    git("commit", "--quiet", "--message", "link", where=source)
    remote = Repository(source.as_uri(), git("rev-parse", "HEAD", where=source), ("samples", "data.tsv"))
    _fetch.fetch(remote, tmp_path / "to", HOW, "by hand")
    assert tree(tmp_path / "to") == SAMPLES


def test_a_surrounding_repository_is_not_meant(samples, tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    corpora.fetch("nemo", tmp_path / "to", **QUICK)
    assert tree(tmp_path / "to") == SAMPLES and not (tmp_path / "elsewhere").exists()


# Git LFS ---------------------------------------------------------------------------------------------------

CLIPS = {f"AudioWAV/100{actor}_DFA_ANG_XX.wav": audio() for actor in range(1, 7)}
SEXES = {"VideoDemographics.csv": b"ActorID,Sex\n1001,Male\n1002,Female\n"}


@pytest.fixture
def clips(tmp_path, server, monkeypatch):
    """CREMA-D, moved to a local repository of pointers and a local server of their contents."""
    pointers = {
        name: b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %d\n"
        % (hashlib.sha256(content).hexdigest().encode(), len(content))
        for name, content in CLIPS.items()
    }
    commit = repository(tmp_path / "source", pointers | SEXES)
    for name, content in CLIPS.items():
        server.put(f"/media/{name}", content)
    remote = Repository(
        (tmp_path / "source").as_uri(), commit, cremad.REMOTE.paths, media=f"{server.url}/media/", batch=4
    )
    monkeypatch.setattr(cremad, "REMOTE", remote)
    return remote


def test_large_files_are_fetched_through_their_pointers(clips, server, tmp_path):
    corpora.fetch("cremad", tmp_path / "to", **QUICK)
    assert tree(tmp_path / "to") == CLIPS | SEXES
    assert len(server.asked) == len(CLIPS)
    assert corpora.load("cremad", tmp_path / "to")["gender"].tolist()[:2] == ["male", "female"]
    corpora.fetch("cremad", tmp_path / "to", **QUICK)
    assert len(server.asked) == len(CLIPS)


def test_a_large_file_that_is_not_its_pointer_s_is_refused_and_the_others_are_kept(clips, server, tmp_path):
    bad = "AudioWAV/1003_DFA_ANG_XX.wav"
    server.put(f"/media/{bad}", audio())
    with pytest.raises(
        FetchError, match=r"1003_DFA_ANG_XX.wav sent is not what was published \(sha256:"
    ) as error:
        corpora.fetch("cremad", tmp_path / "to", **QUICK)
    assert "(what is verified stays), or take it by hand from https://github.com/" in str(error.value)
    kept = {name: content for name, content in tree(tmp_path / "to").items() if not name.startswith(".")}
    assert bad not in kept and kept.items() <= (CLIPS | SEXES).items()
    server.put(f"/media/{bad}", CLIPS[bad])
    server.asked.clear()
    corpora.fetch("cremad", tmp_path / "to", **QUICK)
    assert tree(tmp_path / "to") == CLIPS | SEXES
    assert not {f"/media/{name}" for name in kept} & set(server.asked)


def test_one_large_file_that_fails_stops_the_others_soon(clips, server, tmp_path):
    server.answers = {path: [(503, {}, b"")] for path in list(server.answers)[1:]}
    start = time.monotonic()
    with pytest.raises(FetchError, match="answered 404"):
        corpora.fetch("cremad", tmp_path / "to", **QUICK | {"wait_s": 30})
    assert time.monotonic() - start < 5


def test_the_note_names_every_file_with_its_hash(clips, tmp_path):
    corpora.fetch("cremad", tmp_path / "to", **QUICK)
    note = json.loads((tmp_path / "to" / _fetch.NOTE).read_text())
    assert note["source"] == clips.commit
    assert note["sha256"] == {
        name: hashlib.sha256(content).hexdigest() for name, content in (CLIPS | SEXES).items()
    }


def test_progress_is_shown_when_asked_for(clips, tmp_path, capsys):
    corpora.fetch("cremad", tmp_path / "to", **QUICK | {"progress": True})
    assert "fetch: 100%" in capsys.readouterr().err
    corpora.fetch("cremad", tmp_path / "again", **QUICK)
    assert capsys.readouterr().err == ""
