"""What last year's solutions earn: the public solutions of every assignment, handed in under many other seeds.

    .venv/bin/python benchmarks/pasted.py

Writes `results/measured/pasted.json`, from which the teacher's guide makes its table.
"""

import contextlib
import io
import json
from pathlib import Path

from sergan.coursework import assignments
from sergan.coursework.marking import pasted

SEEDS = [f"course {number}" for number in range(1, 25)]
TO = Path(__file__).parents[1] / "results" / "measured" / "pasted.json"


def main():
    found = {}
    for name in assignments.NAMES:
        assignment = assignments.load(name)
        points = sum(question.points for question in assignment.asked(assignment.variant(SEEDS[0])))
        earned = {"points": points}
        for way, constants in (("understood", True), ("unread", False)):
            with contextlib.redirect_stdout(io.StringIO()):
                marks = [pasted(assignment, seed, constants=constants) for seed in SEEDS]
            earned[way] = [sum(mark.points for mark in some) for some in marks]
        found[name] = earned
        print(name, earned)
    TO.write_text(json.dumps({"seeds": SEEDS, "assignments": found}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
