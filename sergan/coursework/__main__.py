"""The command line for teachers: `sergan-coursework COMMAND ...`, also `python -m sergan.coursework COMMAND ...`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sergan import SerganError, one_line


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns its exit code. A user's mistake is one sentence on stderr and exit code 1."""
    options = parser().parse_args(arguments)
    try:
        return options.command(options) or 0
    except SerganError as error:
        print(f"sergan-coursework: {str(error).rstrip('.')}.", file=sys.stderr)
        return 1
    except OSError as error:
        where = f"{error.filename2 or error.filename}: " if error.filename else ""
        print(
            f"sergan-coursework: {where}{error.strerror or error}: make room or mend permissions; what was done stays, "
            "and the same command goes on from here.",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print("sergan-coursework: stopped; the same command goes on from here.", file=sys.stderr)
        return 130


class Parser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(2, f"sergan-coursework: {message}; see {self.prog} --help.\n")


def parser() -> argparse.ArgumentParser:
    top = Parser(prog="sergan-coursework", description="Assignments for a course: hand out, grade, report. "
                 "Everything stays on this machine, in one folder.")  # fmt: skip
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(function, name, help):
        sub = commands.add_parser(name, help=help, description=help)
        sub.set_defaults(command=function)
        return sub

    sub = command(
        release, "release", "Write the assignments of a course: student versions, rubrics, what grades them."
    )
    sub.add_argument("numbers", nargs="*", type=int, metavar="N", help="which assignments (default: all)")
    sub.add_argument("--seed", metavar="SECRET", help="what the course's variants are drawn from (default: the "
                     "folder's, else a new random one)")  # fmt: skip
    sub.add_argument("--to", type=Path, default=Path("coursework"), metavar="DIR",
                     help="the course's folder (default: coursework)")  # fmt: skip
    sub.add_argument("--unlike", type=Path, nargs="+", default=[], metavar="DIR", help="folders of earlier courses, "
                     "from which the questions in kind should differ")  # fmt: skip

    sub = command(
        grade, "grade", "Grade a download of submissions, in a fence; goes on where it was stopped."
    )
    sub.add_argument("submissions", type=Path, metavar="SUBMISSIONS", help="a folder or zip, as Moodle or Canvas "
                     "gives it")  # fmt: skip
    sub.add_argument("--assignment", type=int, metavar="N", help="which (not needed if one is released)")
    sub.add_argument("--students", type=Path, metavar="CSV", help="class list with id, first_name, last_name, email, "
                     "or an export of Moodle or Canvas; kept from the first time")  # fmt: skip
    sub.add_argument("--due", metavar="TIME", help="when it was due, such as 2026-03-31T23:59; kept")
    sub.add_argument(
        "--late", type=float, metavar="PERCENT", help="of the points, for each day begun after --due; kept"
    )
    sub.add_argument("--times", type=Path, metavar="CSV", help="id and submitted: when, where the files do not tell "
                     "(Canvas), or an extension; kept")  # fmt: skip
    sub.add_argument("--jobs", type=int, default=2, metavar="N", help="submissions side by side (default: 2)")
    sub.add_argument("--force", action="store_true", help="mark again what has marks")
    sub.add_argument("--unfenced", action="store_true", help="run the students' code with your own rights: it can read "
                     "and delete what you can")  # fmt: skip
    course_option(sub)

    sub = command(report, "report", "Write a page for each student, marks for Moodle and Canvas, and how each question "
                  "did.")  # fmt: skip
    sub.add_argument("--assignment", type=int, metavar="N", help="which (default: all that are graded)")
    sub.add_argument("--no-pages", action="store_true", help="only the tables")
    course_option(sub)
    return top


def course_option(sub) -> None:
    sub.add_argument("--course", type=Path, default=Path("coursework"), metavar="DIR",
                     help="the course's folder (default: coursework)")  # fmt: skip


def release(options):
    from sergan.coursework.course import seed_of
    from sergan.coursework.questions import EXAMPLE
    from sergan.coursework.release import ALL, alike, fresh, release

    others = [EXAMPLE, *map(seed_of, options.unlike)]
    for path in release(options.to, options.seed, options.numbers, others):
        print(path)
    if (seed := seed_of(options.to)) == EXAMPLE:
        print("These are the public examples, whose solutions are known; a course needs a seed of its own.")
    elif same := alike(seed, others, options.numbers or ALL):
        print(f"This seed draws the very questions of the public examples or of an earlier course for assignment "
              f"{', '.join(map(str, same))}, so those solutions fit; if you have not handed it out yet, release to "
              f"another folder with --seed {fresh(others)}.")  # fmt: skip
    print(f"What to hand out and what to keep: {options.to / 'README.md'}")


def grade(options):
    from sergan.coursework.fence import Fence
    from sergan.coursework.grading import grade

    if options.jobs < 1:
        raise SerganError("--jobs must be at least 1")
    done = grade(options.course, options.submissions, options.assignment, students=options.students,
                 limits=Fence(off=options.unfenced), jobs=options.jobs, due=options.due, late=options.late,
                 times=options.times, force=options.force)  # fmt: skip
    print(
        f"{done.assignment}: {len(done.found)} of {len(done.students)} students handed in; {done.marked} marked now."
    )
    if done.left:
        print(f"To look at, in {options.course / 'reports' / done.assignment / 'unmatched.csv'}:")
        for one in done.left[:20]:
            print(one_line(f"  {one.student or '?'}: {one.path}: {one.what}"))
        if len(done.left) > 20:
            print(f"  and {len(done.left) - 20} more")
    if done.by_hand:
        print(f"To mark by hand: {done.by_hand} (start `jupyter lab` in {options.course}, open Formgrader)")
    print(f"Next: sergan-coursework report --course {options.course}")
    return 1 if any(one.what.startswith("not graded") for one in done.left) else 0


def report(options):
    from sergan.coursework.reporting import report

    for name, questions in report(options.course, options.assignment, pages=not options.no_pages).items():
        print(f"{name} (share: of the points that were earned; discrimination: correlation with the rest)")
        print(questions.to_string(na_rep=""))
        if hand := questions.attrs["by_hand"]:
            print(f"Not final: {hand} of the totals wait for points by hand.")
        print(
            f"Tables: {options.course / 'reports' / name}; pages: {options.course / 'feedback'}/STUDENT/{name}\n"
        )


if __name__ == "__main__":
    sys.exit(main())
