"""Files that are either complete under their name, or not there."""

import os
import uuid
import zipfile
from contextlib import contextmanager, suppress
from pathlib import Path


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
            yield out
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
