"""How long grading a class takes: varied submissions of one assignment through the whole of `sergan-coursework grade`.

    .venv/bin/python benchmarks/coursework.py --students 120 --jobs 2

A third is right, the others have one of the assignment's known mistakes, no answers, or an endless loop in one.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import nbformat

from sergan.coursework import assignments, notebooks
from sergan.coursework.grading import grade
from sergan.coursework.release import release
from sergan.coursework.reporting import report


def main():
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--assignment", type=int, default=2)
    options.add_argument("--students", type=int, default=120)
    options.add_argument("--jobs", type=int, default=2)
    chosen = options.parse_args()
    assignment = assignments.load(chosen.assignment)
    variant = assignment.variant("benchmark")
    solved = notebooks.of_variant(notebooks.source(assignment), variant)
    solution = {notebooks.grade_id(cell): cell.source for cell in solved.cells
                if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("solution")}  # fmt: skip
    mistakes = assignment.known_mistakes(variant)
    with tempfile.TemporaryDirectory() as folder:
        course, download = Path(folder, "course"), Path(folder, "download")
        path = release(course, "benchmark", [chosen.assignment])[0]
        given = nbformat.read(path, as_version=4)
        download.mkdir()
        lines = ["id,first_name,last_name,email"]
        for number in range(chosen.students):
            changed = mistakes[7 * number % len(mistakes)].cells if number % 3 else {}
            if number % 10 == 9:
                name = list(solution)[number % len(solution)]
                changed = {name: solution[name].replace("):\n", "):\n    while True: pass\n", 1)}
            book = json.loads(nbformat.writes(given))
            for cell in book["cells"]:
                name = cell["metadata"].get("nbgrader", {}).get("grade_id")
                if name in solution and number % 20 != 8:
                    cell["source"] = (solution | changed)[name]
            (download / f"student{number}_{1000 + number}_{path.name}").write_text(json.dumps(book))
            lines.append(f"{1000 + number},Some,student{number},")
        students = Path(folder, "students.csv")
        students.write_text("\n".join(lines))
        began = time.monotonic()
        done = grade(course, download, chosen.assignment, students=students, jobs=chosen.jobs)
        graded = time.monotonic() - began
        print(report(course, chosen.assignment)[done.assignment].to_string())
        told = time.monotonic() - began - graded
    print(
        f"{done.marked} submissions, {chosen.jobs} jobs: {graded:.0f} s to grade, {told:.0f} s for the report"
    )
    each = (graded + told) / done.marked
    print(f"{each:.1f} s for each; 120 would take {120 * each / 60:.0f} minutes")


if __name__ == "__main__":
    main()
