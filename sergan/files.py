"""Files that are either complete under their name, or not there; and whether what one finds is what was written."""

import os
import uuid
import zipfile
from contextlib import contextmanager, suppress
from pathlib import Path

from sergan import SerganError

try:
    import fcntl
except ImportError:  # Windows, where nobody can delete a file that somebody else has open
    fcntl = None


@contextmanager
def replacing(path):
    """A binary file to write that gets its name only when complete, whatever other processes do.

    >>> import tempfile
    >>> with replacing(Path(tempfile.mkdtemp()) / "folder" / "file") as out:
    ...     out.write(b"whole")
    5
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
    try:
        with open(temporary, "xb") as out:
            if fcntl:
                with suppress(OSError):
                    fcntl.flock(out, fcntl.LOCK_EX)  # says that somebody is writing it, see `tidy`
            yield out
            out.flush()
            if fcntl:
                os.replace(temporary, path)
        if not fcntl:
            os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def whole_zip(path, most=None):
    """Raises unless a file is a zip whose parts fit their checksums and have no more than `most` bytes together.

    By default as many as the file itself, so nothing in it is compressed. (PyTorch compares no checksum.)
    """
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
        most = os.path.getsize(path) if most is None else most
        if sum(part.file_size for part in parts) > most:
            raise ValueError(f"its parts have more than {most} bytes")
        for part in parts:
            with archive.open(part) as content:
                while content.read(1 << 20):
                    pass


def tidy(part):
    """Delete a `.part` that its writer, now gone, has left; one that is being written stays."""
    with suppress(OSError):
        if fcntl is None:
            return Path(part).unlink()
        with open(part, "r+b") as found:
            fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
            Path(part).unlink()


@contextmanager
def alone(path, what):
    """Inside, no other process is in here with this file, which is made and stays; SerganError where one is.

    A process that was killed holds nothing.

    >>> import tempfile
    >>> with alone(Path(tempfile.mkdtemp()) / "lock", "download"):
    ...     pass
    """
    from filelock import FileLock, Timeout

    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise SerganError(
            f"another {what} is under way in {Path(path).parent}; wait for its end, then run this one again"
        ) from None
    try:
        yield
    finally:
        lock.release()
