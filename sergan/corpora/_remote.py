"""Where a corpus can be fetched from: plain data, so that a corpus module needs no network library."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Archive:
    """A ZIP file with a published hash."""

    url: str
    known_hash: str  #: `md5:...` or `sha256:...`, as published
    size_bytes: int  #: no more than this is read
    unpacked_bytes: int  #: no more than this is unpacked


@dataclass(frozen=True)
class Repository:
    """Files of a Git repository at one commit.

    The commit's id is a hash over a tree of hashes, one per file, so that pinning it pins every byte. Files
    kept in Git LFS are there as pointers with a SHA-256; their content lies at `media` + path.
    """

    url: str
    commit: str
    paths: tuple[str, ...]  #: files and folders to take
    media: str = ""
    batch: int = 250  #: files asked for at a time; what a killed run may lose
