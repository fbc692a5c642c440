"""Sphinx extension: where the book's repository lives, so that no page or setting has the address typed in.

The address comes from the environment variable `SERGAN_REPOSITORY`, else from GitHub's `GITHUB_REPOSITORY`, else
from the git remote `origin`.
With an address on a known host the pages get a repository button, on GitHub also a Colab button; without
one, or with one that no browser could open (a local folder, an unknown host), they get neither.
"""

import importlib.metadata
import os
import re
import subprocess
from dataclasses import dataclass

#: Hosts whose pages the theme knows how to link to.
HOSTS = ("github.com", "gitlab.com", "bitbucket.org")
COLAB = "https://colab.research.google.com"
#: The branch, and the folder beside the pages, of the chapters that run as they are.
NOTEBOOKS = "notebooks"
VERSION = importlib.metadata.version("sergan")


def git(folder, *arguments):
    """What `git` answers in `folder`, or "" where it answers nothing."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def https(address):
    """`address` as https://host/owner/name, or "" where it is none of a known host.

    >>> https("git@github.com:owner/name.git")
    'https://github.com/owner/name'
    >>> https("ssh://git@gitlab.com:22/owner/name")
    'https://gitlab.com/owner/name'
    >>> https("https://user:secret@github.com/owner/name/")
    'https://github.com/owner/name'
    >>> https("/srv/name.git"), https("https://example.org/owner/name")
    ('', '')
    """
    form = (
        r"(?:(?:git\+)?(?:https?|ssh|git)://)?(?:[^@/\s]+@)?(?:www\.|ssh\.|altssh\.)?([\w.-]+)"
        r"(?::\d+(?=/))?[:/]+([\w.-]+/[\w.-]+?)(?:\.git)?/*"
    )
    match = re.fullmatch(form, address.strip(), re.IGNORECASE)
    if not match or match[1].lower() not in HOSTS:
        return ""
    return f"https://{match[1].lower()}/{match[2]}"


@dataclass(frozen=True)
class About:
    """What is known of the book's place: the repository and its pages ("" where unknown), and this revision."""

    repository: str  # https://host/owner/name
    branch: str
    revision: str  # 40 hexadecimal digits, of a tree without uncommitted changes
    version: str  # of the package
    pages: str  # https://.../, where the built book is read
    base: str = ""  # with uncommitted changes, the revision that was changed

    def colab(self, name):
        """The address that opens the notebook `name` of the branch `notebooks` in Colab; "" but on GitHub."""
        owner = self.repository.partition("https://github.com/")[2]
        return owner and f"{COLAB}/github/{owner}/blob/{NOTEBOOKS}/{name}.ipynb"


def about(folder):
    """What can be found out in `folder`, from a continuous integration's variables or from git."""
    found = os.environ.get("SERGAN_REPOSITORY") or os.environ.get("GITHUB_REPOSITORY", "")
    if re.fullmatch(r"[\w.-]+/[\w.-]+", found):  # as GitHub gives it
        found = f"{os.environ.get('GITHUB_SERVER_URL', 'https://github.com')}/{found}"
    where = https(found or git(folder, "remote", "get-url", "origin"))
    head = git(folder, "symbolic-ref", "--short", "refs/remotes/origin/HEAD").removeprefix("origin/")
    branch = os.environ.get("SERGAN_BRANCH") or os.environ.get("GITHUB_REF_NAME") or head or "main"
    head = git(folder, "rev-parse", "HEAD")
    revision = os.environ.get("SERGAN_REVISION") or (
        "" if git(folder, "status", "--porcelain", "-uno") else head
    )
    pages = os.environ.get("SERGAN_PAGES", "")
    if not pages and where.startswith("https://github.com/"):
        owner, name = where.split("/")[3:]
        root = f"{owner}.github.io".lower()
        pages = f"https://{root}/" if name.lower() == root else f"https://{root}/{name}/"
    pages = pages and pages.rstrip("/") + "/"
    return About(where, branch if where else "", revision, VERSION, pages, "" if revision else head)


def set_theme(app, config):
    """Give the theme the repository's address and branch, and its buttons or none."""
    here = app.about = about(app.srcdir)
    where, branch = here.repository, here.branch
    config.html_context.setdefault("default_mode", "auto")  # else the theme complains in the console
    options = config.html_theme_options
    for name in ("repository_url", "repository_branch", "use_repository_button"):
        options.pop(name, None)
    options["launch_buttons"] = {"notebook_interface": "jupyterlab"}
    if where:
        options["repository_url"], options["repository_branch"] = where, branch
        options["use_repository_button"] = True
        if where.startswith("https://github.com/"):
            options["launch_buttons"]["colab_url"] = (
                COLAB  # book/_ext/notebooks.py sets the rest of the address
            )


def setup(app):
    app.connect("config-inited", set_theme)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
