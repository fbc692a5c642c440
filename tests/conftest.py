"""What several tests share: real speech where it is there, and a corpus of random sequences."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from filelock import FileLock
from hypothesis import settings
from numbers_in_text import compare_numbers

from sergan import EMOTIONS
from sergan.data import Dataset

torch.set_num_threads(1)
compare_numbers()  # in what notebooks print
settings.register_profile("sergan", deadline=None)  # a busy machine is no failure
settings.load_profile("sergan")


@pytest.fixture(scope="session")
def real_corpora() -> Path:
    """The folder of real emotional speech that lies beside the project in development and CI."""
    folder = Path(__file__).parents[2] / "shared" / "corpora"
    if not folder.is_dir():
        if (
            os.environ.get("CI") == "true" and "GITHUB_ACTIONS" not in os.environ
        ):  # nobody may publish them there
            pytest.fail("the real corpora must be there in CI")
        pytest.skip("no real corpora beside the project")
    return folder


def random_dataset(utterances: int = 60, speakers: int = 6, shift: float = 0.6, seed: int = 0) -> Dataset:
    """Noise whose mean depends on the class, by 6 speakers: enough for a network to learn something."""
    rng = np.random.default_rng(seed)
    labels = np.arange(utterances) % 4
    sequences = [
        (rng.normal(size=(rng.integers(5, 40), 32)) + shift * label * (np.arange(32) % 3)).astype(np.float32)
        for label in labels
    ]
    table = pd.DataFrame(
        {
            "file": "",
            "speaker": [f"s{number // 4 % speakers:02}" for number in range(utterances)],
            "session": "",
            "gender": "",
            "emotion": [EMOTIONS[label] for label in labels],
            "duration_s": [len(sequence) / 100 for sequence in sequences],
        },
        index=pd.Index([f"u{number:03}" for number in range(utterances)], name="utterance"),
    )
    functionals = np.stack([np.tile(s.mean(axis=0), 12) for s in sequences]).astype(np.float32)
    return Dataset.of("demo", table, sequences, functionals)


@pytest.fixture(scope="session")
def dataset() -> Dataset:
    return random_dataset()


def missing(reason):
    """Without a browser there is nothing to test here; a continuous integration must have one."""
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The pages, rendered from the stored outputs with warnings as errors, as if from no known repository.

    Once a run of the tests, however many processes share it.
    """
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    to = shared / "site" / "html"
    with FileLock(shared / "site.lock"):
        if not to.exists():
            make = Path(__file__).parents[1] / "book" / "_make.py"
            done = subprocess.run(
                [sys.executable, make, "render", "--to", to],
                capture_output=True,
                text=True,
                env={**os.environ, "SERGAN_REPOSITORY": "none"},
            )
            assert done.returncode == 0, done.stdout + done.stderr
    return to


@pytest.fixture(
    scope="module"
)  # while it is open an event loop runs in this process; no other module shall meet it
def browser():
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not path:
        missing("no chromium on the PATH: the pages were not opened in a browser")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("playwright is not installed: the pages were not opened in a browser")
    with sync_playwright() as playwright:
        as_root = hasattr(os, "geteuid") and os.geteuid() == 0
        opened = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"] if as_root else [])
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def bubblewrap():
    """Where the fence cannot work, nothing of it is proven: that is a failure in CI, elsewhere a skip that says why."""
    from sergan.coursework import fence

    if reason := fence.missing():
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
