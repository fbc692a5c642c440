"""The book as one file: unpacked anywhere, a USB stick too, its `index.html` opens without a server or a network."""

import os
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo


def write(site, to, version, licence=None):
    """Write `to`/sergan-book-VERSION.zip from the finished pages in `site`; the same pages give the same bytes."""
    name = f"sergan-book-{version}"
    files = {path.relative_to(site).as_posix(): path for path in site.rglob("*") if path.is_file()}
    if licence:
        files["LICENSE"] = licence
    whole, part = to / f"{name}.zip", to / f".{name}.zip.{os.getpid()}"
    to.mkdir(parents=True, exist_ok=True)
    try:
        with ZipFile(part, "w") as archive:
            for below in sorted(files):
                if not any(step.startswith(".") for step in below.split("/")):  # marks of the build
                    entry = ZipInfo(f"{name}/{below}", (1980, 1, 1, 0, 0, 0))
                    entry.external_attr, entry.create_system = 0o644 << 16, 3
                    archive.writestr(entry, files[below].read_bytes(), ZIP_DEFLATED, 9)
        os.replace(part, whole)
    finally:
        part.unlink(missing_ok=True)
    return whole
