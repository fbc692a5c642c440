"""Files that are either complete under their name, or not there."""

import os
import uuid
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
