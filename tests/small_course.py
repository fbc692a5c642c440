"""A small assignment for tests, and notebooks that students may hand in for it."""

import copy
import json

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from sergan.coursework.questions import Assignment, Question

NUMBER = 2
STUB = "    # YOUR CODE HERE\n    raise NotImplementedError()"


def scale_cases(variant, random):
    yield from ((random.normal(size=n),) for n in (3, 8))


def count_cases(variant, random):
    yield from ((random.integers(0, 9, size=20), 4) for _ in range(2))


SMALL = Assignment(
    number=NUMBER, name="small", title="Small things", constants={"FACTOR": (2, 3, 5)}, kinds={"side": ("low", "high")},
    questions=(
        Question("scale-check", 2, "scale", scale_cases, lambda v: lambda x: v["FACTOR"] * x),
        Question("low-check", 3, "low", count_cases, lambda v: lambda x, k: int((x < k).sum()), kind=("side", "low")),
        Question("high-check", 3, "high", count_cases, lambda v: lambda x, k: int((x > k).sum()),
                 kind=("side", "high")),
    ),
)  # fmt: skip


def marked(cell, name, *tags, **about):
    kind = {"schema_version": 3, "cell_type": cell.cell_type, "grade": False, "solution": False, "locked": False,
            "task": False, "grade_id": name}  # fmt: skip
    cell.metadata = {"nbgrader": kind | about, "tags": list(tags)}
    return cell


def function(name, arguments, body, *tags):
    code = f"def {name}({arguments}):\n    ### BEGIN SOLUTION\n    return {body}\n    ### END SOLUTION"
    return marked(new_code_cell(code), name, *tags, solution=True)


def check(name, points, code, *tags):
    return marked(new_code_cell(code), f"{name}-check", *tags, grade=True, locked=True, points=points)


def source():
    """The source notebook."""
    variant = new_code_cell(SMALL.variant("example").cell, metadata={"tags": ["variant"]})
    rubric = new_markdown_cell("Two points for a reason, two for an example.", metadata={"tags": ["rubric"]})
    book = new_notebook(cells=[
        new_markdown_cell("# Small things"),
        variant,
        new_code_cell("import numpy as np"),
        function("scale", "x", "FACTOR * x"),
        check("scale", 2, "assert scale(1) == FACTOR"),
        function("low", "x, k", "int((x < k).sum())", "kind:side=low"),
        check("low", 3, "assert low(np.arange(3), 1) == 1", "kind:side=low"),
        function("high", "x, k", "int((x > k).sum())", "kind:side=high"),
        check("high", 3, "assert high(np.arange(3), 1) == 1", "kind:side=high"),
        new_markdown_cell("Why?"),
        marked(new_markdown_cell("Because."), "why", grade=True, solution=True, points=4),
        rubric,
    ])  # fmt: skip
    for number, cell in enumerate(book.cells):
        cell.id = f"cell-{number}"
    book.metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
                     "language_info": {"name": "python"}}  # fmt: skip
    return book


def kind(variant):
    return variant.kinds["side"]


def answers(variant):
    other = "int((x < k).sum())" if kind(variant) == "low" else "int((x > k).sum())"
    return {"scale": "def scale(x):\n    return FACTOR * x",
            kind(variant): f"def {kind(variant)}(x, k):\n    return {other}",
            "why": "Because of **this**."}  # fmt: skip


def handed_in(released, given, *, before="", after=""):
    """A student's notebook: the released one with answers, and code of the student's own."""
    book = copy.deepcopy(released)
    for cell in book.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        cell.source = given.get(name, cell.source)
    place = next(k for k, cell in enumerate(book.cells) if cell.cell_type == "code")
    book.cells[place:place] = [new_code_cell(before)] * bool(before)
    book.cells += [new_code_cell(after)] * bool(after)
    return json.dumps(book).encode()


def honest(released, variant, **more):
    return handed_in(released, answers(variant), **more)
