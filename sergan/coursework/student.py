"""Runs in the fence, as a program: executes the cells of CELLS.json, then calls what it is asked to call.

    python student.py CELLS.json SECONDS

Requests come on standard input, answers go to what was standard output, one JSON document a line. Whatever the
student's code prints goes nowhere. This process is the student's: nothing that it says is believed but the
values, which are compared elsewhere.
"""

import contextlib
import importlib
import json
import os
import signal
import sys


class TimeLimit(BaseException):
    """Not an Exception, which the student's code may well catch."""


def main():
    path, seconds = sys.argv[1], float(sys.argv[2])
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    values, harness = importlib.import_module("values"), importlib.import_module("harness")
    out = os.fdopen(os.dup(1), "wb")
    requests = os.fdopen(os.dup(0), "rb")
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)

    def say(message):
        out.write(values.line(message))
        out.flush()

    os.environ["MPLBACKEND"] = "agg"
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    shell.history_manager.enabled = False

    def late(signum, frame):
        raise TimeLimit(f"took longer than {seconds:g} s")

    signal.signal(signal.SIGALRM, late)

    @contextlib.contextmanager
    def in_time():
        signal.setitimer(signal.ITIMER_REAL, seconds, 1)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    with open(path, encoding="utf-8") as file:
        cells = json.load(file)
    errors = []
    for name, source in cells:
        with in_time():
            found = shell.run_cell(source, store_history=False, silent=True)
        if error := found.error_before_exec or found.error_in_exec:
            errors.append([name, described(error)])
    say({"errors": errors})

    for request in requests:
        asked = json.loads(request)
        try:
            if asked["function"] not in shell.user_ns:
                raise NameError(f"the notebook defines no {asked['function']}")
            function = shell.user_ns[asked["function"]]
            arguments = values.decode(asked["arguments"])
            with in_time():
                if asked["harness"]:
                    value = getattr(harness, asked["harness"])(function, *arguments)
                else:
                    value = function(*arguments)
                answer = {"value": values.encode(value)}
        except BaseException as error:
            answer = {"error": described(error)}
        try:
            say(answer)
        except TypeError as error:
            say({"error": f"it returns {error}, which is no number or array"})


def described(error):
    return f"{type(error).__name__}: {error}"[:300]


if __name__ == "__main__":
    main()
