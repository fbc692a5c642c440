"""The pages for readers who do not see them, not all of them, not those colours, or who use no mouse.

axe-core finds what a program can find; the rest is what a program can do: press Tab, enlarge, ask for less motion.
The page `book/accessibility.md` says what this shows and what it does not.
"""

import functools

import pytest
from test_book import PAGES

from sergan.corpora import demo

ALL = [*PAGES, "search", "genindex"]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

# Contrast is computed for one text of each look, which is its colour, size, weight and all grounds behind it: for every
# text of a chapter it takes a minute, and finds the same.
LOOKS = """() => {
  const seen = new Set(), done = new Set(), grounds = new Map([[null, '']]);
  const ground = e => {
    if (!grounds.has(e)) {
      const s = getComputedStyle(e), own = [s.backgroundColor, s.backgroundImage, s.opacity].join();
      grounds.set(e, (own === 'rgba(0, 0, 0, 0),none,1' ? '' : own + '/') + ground(e.parentElement));
    }
    return grounds.get(e);
  };
  for (const e of document.querySelectorAll('[data-look]')) delete e.dataset.look;
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const e = texts.currentNode.parentElement;
    if (done.has(e) || !texts.currentNode.data.trim() || !e.checkVisibility({visibilityProperty: true})) continue;
    done.add(e);
    const s = getComputedStyle(e), look = [s.color, s.fontSize, s.fontWeight, ground(e)].join('|');
    if (!seen.has(look)) { seen.add(look); e.dataset.look = seen.size; }
  }
}"""

OPEN = """() => {
  for (const fold of document.querySelectorAll('details')) fold.open = true;
  for (const fold of document.querySelectorAll('.toggle-hidden')) fold.classList.remove('toggle-hidden');
}"""

THEME = "name => { document.documentElement.dataset.theme = document.documentElement.dataset.mode = name; }"


@functools.cache
def axe_script():
    from axe_playwright_python.base import AXE_SCRIPT

    return AXE_SCRIPT


def faults(page, rules=RULES):
    """What axe finds on a page: rule, weight, place, what it says."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe_script())
        page.evaluate("axe.configure({rules: [{id: 'color-contrast', selector: '[data-look]'}]})")
    page.evaluate(LOOKS)
    found = page.evaluate(
        "async rules => (await axe.run({runOnly: rules, resultTypes: ['violations']})).violations", rules
    )
    return [
        f"{rule['id']} ({rule['impact']}): {node['html'][:150]} {node['failureSummary'][:250]}"
        for rule in found
        for node in rule["nodes"]
    ]


@pytest.fixture(scope="module")
def visited(site, browser):
    """Opens a page without network, as someone who asked for less motion and no other theme than the light one."""
    # Without the pages' own policy, which would keep axe out.
    context = browser.new_context(
        bypass_csp=True,
        color_scheme="light",
        reduced_motion="reduce",
        viewport={"width": 1280, "height": 800},
    )
    context.route("http*://**/*", lambda route: route.abort())
    page = context.new_page()

    def visited(name):
        page.set_viewport_size({"width": 1280, "height": 800})
        page.goto((site / f"{name}.html").as_uri())
        page.wait_for_load_state("load")
        page.evaluate("() => window.MathJax?.startup?.promise")
        return page

    yield visited
    context.close()


@pytest.fixture(scope="module", params=ALL)
def opened(request, visited):
    """Each page once, with everything on it unfolded; the tests that follow share it."""
    page = visited(request.param)
    page.evaluate(OPEN)
    return page


# --- every page ----------------------------------------------------------------------------------------


def test_axe_finds_no_fault(opened):
    opened.evaluate(THEME, "light")
    assert faults(opened) == []


def test_contrast_suffices_on_the_dark_page(opened):
    opened.evaluate(THEME, "dark")
    assert faults(opened, ["color-contrast"]) == []
    opened.evaluate(THEME, "light")


def test_an_id_is_given_once(opened):
    ids = opened.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert sorted(ids) == sorted(set(ids))


def test_every_heading_of_a_table_says_what_of(opened):
    assert opened.locator("article th:not([scope])").count() == 0


def test_nothing_moves_for_those_who_asked_for_less_motion(opened):
    moving = opened.evaluate(
        """[...document.querySelectorAll('*')].filter(e => {
             const s = getComputedStyle(e);
             return s.display && (s.animationName !== 'none' || s.scrollBehavior !== 'auto'
               || s.transitionDuration.split(', ').some(t => parseFloat(t) > 0));
           }).map(e => e.outerHTML.slice(0, 100))"""
    )
    assert moving == []
    assert opened.evaluate("document.getAnimations().length") == 0


#: WCAG 1.4.12: a reader may set these.
SPACED = """* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important; }
            p { margin-bottom: 2em !important; }"""


def test_a_page_can_be_enlarged_and_its_text_spaced(opened):
    """At 320 pixels, which is 1,280 at four times the size; and at twice the size with more space in the text."""
    opened.set_viewport_size({"width": 320, "height": 256})
    opened.wait_for_timeout(400)  # the theme waits 300 ms
    assert opened.evaluate("document.documentElement.scrollWidth") <= 320
    out_of_reach = opened.evaluate(
        """[...document.querySelectorAll('article *')].filter(e => {
             const flow = getComputedStyle(e).overflowX;
             return ['auto', 'scroll'].includes(flow) && e.scrollWidth > e.clientWidth + 1 && e.tabIndex < 0
               && !e.querySelector('a[href], button, input, select, summary, audio, [tabindex="0"]')
               && e.checkVisibility({visibilityProperty: true});
           }).map(e => e.outerHTML.slice(0, 150))"""
    )
    assert out_of_reach == []
    opened.set_viewport_size({"width": 640, "height": 400})
    style = opened.add_style_tag(content=SPACED)
    assert opened.evaluate("document.documentElement.scrollWidth") <= 640
    style.evaluate("e => e.remove()")
    opened.set_viewport_size({"width": 1280, "height": 800})


def test_what_is_pressed_is_24_pixels_wide_and_high(opened):
    """WCAG 2.5.8 excepts links within text; axe looks at the distance of the rest, this at our own controls."""
    small = opened.evaluate(
        """[...document.querySelectorAll(
             'article :is(button, input, select, summary, audio), .article-header-buttons button, .sidebar-toggle')]
           .filter(e => e.checkVisibility({visibilityProperty: true}))
           .map(e => [e.getBoundingClientRect(), e])
           .filter(([box]) => box.width < 24 || box.height < 24)
           .map(([box, e]) => `${box.width} x ${box.height} ${e.outerHTML.slice(0, 100)}`)"""
    )
    assert small == []


def test_every_sound_has_a_name_and_its_words_beside_it(opened):
    """What is said or played, and that no person spoke."""
    texts = set(demo.texts())
    for sound in opened.locator("audio").all():
        name = sound.get_attribute("aria-label")
        section = sound.evaluate("e => e.closest('section[id]').textContent").replace("’", "'")
        assert name and len(name) > 5
        assert "synthetic" in section or "We build vowels" in section
        assert any(text in section for text in texts) or "oo at" in name


# --- by keyboard ---------------------------------------------------------------------------------------

STOPS = """() => [...document.querySelectorAll(
    'a[href], button, input, select, textarea, summary, audio[controls], [tabindex]')]
  .filter(e => e.tabIndex >= 0 && !e.disabled && !e.closest('dialog:not([open])')
    && e.checkVisibility({visibilityProperty: true}))
  .forEach((e, k) => { e.dataset.stop = k; }) || document.querySelectorAll('[data-stop]').length"""

# Where the focus is; whether it is seen; whether something else covers all of it.
AT = """() => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const s = getComputedStyle(e), wrong = [];
  let shown = 1;
  for (let up = e; up; up = up.parentElement) shown *= getComputedStyle(up).opacity;
  if (s.outlineStyle === 'none' || parseFloat(s.outlineWidth) < 2 || shown < .99) wrong.push('not seen');
  const box = e.getClientRects()[0] ?? e.getBoundingClientRect(), free = [.5, .1, .9].some(x => [.5, .1, .9].some(y => {
    const at = document.elementFromPoint(box.x + x * box.width, box.y + y * box.height);
    return at && (e.contains(at) || at.contains(e));
  }));
  if (!free) wrong.push('covered');
  return [e.dataset.stop ?? null, wrong.join(' '), e.outerHTML.slice(0, 120)];
}"""


@pytest.mark.parametrize("page", ALL)
def test_tab_goes_through_a_page_in_order_and_is_always_seen(visited, page):
    opened = visited(page)
    count = opened.evaluate(STOPS)
    reached, wrong = [], []
    for _ in range(3 * count + 20):  # an audio player is several stops
        opened.keyboard.press("Tab")
        found = opened.evaluate(AT)
        if found is None:
            break
        stop, what, where = found
        if stop == "0" and len(set(reached)) > 1:
            break  # from the end to the beginning
        if what or stop is None:
            wrong.append(f"{what or 'not foreseen'}: {where}")
        if stop is not None and (not reached or reached[-1] != int(stop)):
            reached.append(int(stop))
    else:
        pytest.fail(f"the keyboard does not leave the page; it is at {where}")
    assert wrong == []
    assert reached == list(range(count)), "in the order of the text, and nothing left out"


def focused(page):
    return page.evaluate("document.activeElement.className")


def test_sidebars_and_search_open_and_close_by_keyboard_and_give_the_focus_back(visited):
    page = visited("book/00_claim")
    toggle = page.locator(".primary-toggle")
    toggle.focus()
    for shown in (False, True):
        page.keyboard.press("Enter")
        page.wait_for_timeout(50)
        assert page.locator("#pst-primary-sidebar").is_visible() == shown
        assert toggle.get_attribute("aria-expanded") == str(shown).lower()
        assert "primary-toggle" in focused(page)

    page.keyboard.press("Control+k")
    search = page.locator("#pst-search-dialog")
    assert search.is_visible() and page.evaluate("document.activeElement.name") == "q"
    page.keyboard.press("Escape")
    assert not search.is_visible() and "primary-toggle" in focused(page)
    button = page.locator(".search-button-field")
    button.focus()
    page.keyboard.press("Enter")
    page.keyboard.type("attention")
    assert search.locator("input").input_value() == "attention"
    page.keyboard.press("Escape")
    page.wait_for_timeout(50)
    assert "search-button-field" in focused(page)

    page.set_viewport_size({"width": 390, "height": 800})
    for side in ("primary", "secondary"):
        page.locator(f".{side}-toggle").focus()
        page.keyboard.press("Enter")
        dialog = page.locator(f"#pst-{side}-sidebar-modal")
        assert dialog.is_visible() and dialog.get_attribute("aria-label")
        assert page.evaluate("!!document.activeElement.closest('dialog')")
        assert faults(page, [*RULES]) == []
        page.keyboard.press("Escape")
        page.wait_for_timeout(50)
        assert not dialog.is_visible() and f"{side}-toggle" in focused(page)


def test_the_theme_is_changed_by_keyboard_and_says_which_it_is(visited):
    page = visited("book/index")
    button = page.locator(".theme-switch-button")
    button.focus()
    told = set()
    for _ in range(3):
        page.keyboard.press("Enter")
        page.wait_for_timeout(50)
        assert "theme-switch-button" in focused(page)
        told.add((page.evaluate("document.documentElement.dataset.mode"), button.get_attribute("aria-label")))
        assert page.locator("main > [role=status]").text_content() == button.get_attribute("aria-label")
    assert told == {
        ("light", "Color mode: Light"),
        ("dark", "Color mode: Dark"),
        ("auto", "Color mode: System Settings"),
    }
    button.hover()
    page.locator(".tooltip").first.wait_for(state="visible")
    page.keyboard.press("Escape")
    assert not page.locator(".tooltip").first.is_visible()


def test_a_solutions_button_says_of_which_exercise_and_a_copy_button_what_it_did(visited):
    page = visited("book/00_claim")
    button = page.get_by_role("button", name="Solution to Exercise 1 (Cheap points)")
    assert button.get_attribute("aria-expanded") == "false"
    button.focus()
    page.keyboard.press("Enter")
    assert button.get_attribute("aria-expanded") == "true"
    page.locator("button.copybtn").first.evaluate("e => e.closest('details').open = true")
    page.locator("button.copybtn").first.focus()
    page.keyboard.press("Enter")
    page.locator("main > [role=status]", has_text="Cop").wait_for(state="attached", timeout=3000)


def test_formulas_are_there_as_mathml_and_no_stops(visited):
    page = visited("book/04_classifier")
    formulas = page.locator("mjx-container")
    assert formulas.count() > 50
    assert page.locator("mjx-container > mjx-assistive-mml math").count() == formulas.count()
    assert page.locator("mjx-container > mjx-math:not([aria-hidden=true])").count() == 0
    assert page.locator("mjx-container[tabindex='0']").count() == 0


# --- of these tests, and other pages that the package writes ------------------------------------------


def test_a_fault_is_found(visited):
    page = visited("book/index")
    page.evaluate(
        """document.querySelector('article').insertAdjacentHTML('beforeend',
             '<p style="color: #999">Too light</p><img src="x.png"><table><tr><th></th><td>1</td></tr></table>')"""
    )
    assert {fault.split()[0] for fault in faults(page)} == {
        "color-contrast",
        "image-alt",
        "empty-table-header",
    }


@pytest.fixture
def of_itself(browser):
    """Faults of a page that is given as text, in both themes and at 390 pixels."""

    def of_itself(text):
        found = []
        for scheme, width in (("light", 1280), ("dark", 390)):
            context = browser.new_context(
                bypass_csp=True, color_scheme=scheme, viewport={"width": width, "height": 800}
            )
            page = context.new_page()
            page.set_content(text)
            found += faults(page)
            context.close()
        return found

    return of_itself


def test_axe_finds_no_fault_with_the_page_of_a_report(of_itself):
    from test_page import paper_records

    from sergan import page, report

    assert of_itself(page.page(report.groups(paper_records()))) == []


def test_axe_finds_no_fault_with_a_students_page_of_feedback(of_itself):
    """A page as nbgrader makes it with our exporter, of a notebook with a graded answer, text and a comment."""
    nbformat = pytest.importorskip("nbformat.v4")
    converters = pytest.importorskip("nbgrader.converters")
    from nbgrader.coursedir import CourseDirectory

    from sergan.coursework.reporting import Page

    graded = {"grade": True, "points": 2, "score": 1.5, "comment": "Well said."}
    kinds = {"scale": {"solution": True, "grade": False}, "scale-check": {**graded, "solution": False},
             "why": {**graded, "solution": True}}  # fmt: skip
    about = {name: {"nbgrader": {"grade_id": name, **kind}} for name, kind in kinds.items()}
    out = nbformat.new_output("stream", text="wrong: 1 of 2 cases\n")
    table = nbformat.new_output(
        "display_data", {"text/html": "<table><tr><th>a</th></tr><tr><td>1</td></tr></table>"}
    )
    notebook = nbformat.new_notebook(
        cells=[
            nbformat.new_markdown_cell("# Assignment 2\n\nA [link](https://example.org), `code`, $x$."),
            nbformat.new_code_cell(
                "def scale(x):\n    return x / 2  # halved\nraise ValueError('no')",
                metadata=about["scale"],
                outputs=[out, table],
            ),
            nbformat.new_code_cell("# hidden cases", metadata=about["scale-check"], outputs=[out]),
            nbformat.new_markdown_cell("Because.", metadata=about["why"]),
        ]
    )
    resources = {"nbgrader": {"notebook": "assignment2", "score": 3.0, "max_score": 4.0, "late_penalty": 1.0}}
    text, _ = Page(config=converters.GenerateFeedback(coursedir=CourseDirectory()).config).from_notebook_node(
        notebook, resources
    )
    assert "Well said." in text
    assert of_itself(text) == []
