"""Has one of the packages in requirements.lock a known vulnerability? What `make audit` asks, once a week in CI.

pip-audit asks PyPI; it is installed into an environment of its own. A package that PyPI does not answer for counts as a
failure too, so that no answer is never taken for a good one. An exception goes into `.ci/audit.toml` with its reason.
"""

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from dist import environment

TOP = Path(__file__).resolve().parents[1]


def exceptions(text: str) -> list[str]:
    """The names of vulnerabilities that are accepted; each must have a reason.

    >>> exceptions("[[accepted]]\\nid = 'PYSEC-0'\\nreason = 'That part is not used.'")
    ['PYSEC-0']
    """
    found = tomllib.loads(text).get("accepted", [])
    if bare := [one["id"] for one in found if not one.get("reason")]:
        sys.exit(f"make audit: {bare[0]} in .ci/audit.toml needs a reason")
    return [one["id"] for one in found]


def main():
    accepted = exceptions((TOP / ".ci" / "audit.toml").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        programs = environment(Path(folder) / "tools", ["-r", TOP / ".ci" / "requirements-audit.txt"])
        ask = [programs / "pip-audit", "--requirement", TOP / "requirements.lock", "--disable-pip", "--strict",
               "--progress-spinner", "off"]  # fmt: skip
        done = subprocess.run([*ask, *(word for one in accepted for word in ("--ignore-vuln", one))])
    if done.returncode:
        sys.exit("make audit: packages have known vulnerabilities, or could not be asked for (see above)")


if __name__ == "__main__":
    main()
