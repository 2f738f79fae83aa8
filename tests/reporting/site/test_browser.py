"""The site in a browser: sorting, filters, addresses, themes, the keyboard, and without a script.

Needs Chromium with its driver and selenium; the check for accessibility needs axe-core as well:
`npm pack axe-core`, unpacked, and its axe.min.js named by BENCH_AXE.
"""

import os
from pathlib import Path

import pytest

from bench.reporting.comparison.board import make_board
from bench.reporting.importers.judgments import read_judgments
from bench.reporting.site.build import build_site
from tests.reporting.importers.judgment_rows import judged_rows, write_lines
from tests.reporting.site.browser import chromium, complaints, served, sized

pytestmark = pytest.mark.slow

PAGES = (
    *("index.html", "compare.html", "methods.html", "changelog.html", "lineage/base-1b.html"),
    *("task/truthful.html", "item/reading/reading-0.html", "zh/index.html"),
)
AXE = os.environ.get("BENCH_AXE", "")
ROWS = "#content table[data-table=scores] tbody tr"


@pytest.fixture(scope="module")
def driver():
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def site(built):
    with served(built.folder) as address:
        yield address


@pytest.fixture(autouse=True)
def _fresh(driver):
    """Each test starts on a wide page without complaints."""
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    driver.get("about:blank")
    sized(driver, 1280)
    complaints(driver)


def find(driver, selector):
    """The one element that a selector names."""
    return driver.find_element("css selector", selector)


def shown(driver, selector):
    """Texts of the first cells of the rows that can be seen."""
    return driver.execute_script(
        "return [...document.querySelectorAll(arguments[0])].filter((row) => row.offsetParent)"
        ".map((row) => row.cells[0].querySelector('a').textContent.trim())",
        selector,
    )


def press(driver, element, shift=False):
    """Click an element wherever it has scrolled to."""
    driver.execute_script(
        "arguments[0].dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true,"
        " shiftKey: arguments[1]}))",
        element,
        shift,
    )


def sort_button(driver, column):
    """The button that sorts by a column of the scores."""
    return find(driver, f"table[data-table=scores] th[data-column='{column}'] .sort")


@pytest.mark.parametrize("page", PAGES)
def test_no_page_has_anything_refused_or_broken(driver, site, page):
    driver.get(f"{site}/{page}")
    assert complaints(driver) == []


@pytest.mark.parametrize("page", PAGES)
def test_no_page_is_wider_than_a_telephone(driver, site, page):
    sized(driver, 390)
    driver.get(f"{site}/{page}")
    assert driver.execute_script("return document.documentElement.scrollWidth") <= 390


def test_a_click_sorts_and_the_address_keeps_it(driver, site):
    driver.get(f"{site}/index.html")
    before = shown(driver, ROWS)
    press(driver, sort_button(driver, "summarize"))
    values = driver.execute_script(
        "return [...document.querySelectorAll(arguments[0])].map((row) =>"
        " Number(row.querySelector('[data-label=summarize]').dataset.value))",
        ROWS,
    )
    assert values == sorted(values, reverse=True)
    assert "sort=scores%3A-summarize" in driver.current_url
    head = find(driver, "th[data-column=summarize]")
    assert head.get_attribute("aria-sort") == "descending"
    press(driver, sort_button(driver, "summarize"))
    press(driver, sort_button(driver, "summarize"))
    assert shown(driver, ROWS) == before
    assert "sort" not in driver.current_url


def test_shift_adds_a_second_key_and_the_address_brings_both_back(driver, site):
    driver.get(f"{site}/index.html")
    press(driver, sort_button(driver, "reading"))
    press(driver, sort_button(driver, "toxicity"), shift=True)
    order, address = shown(driver, ROWS), driver.current_url
    assert "-reading%2C-toxicity" in address
    driver.get("about:blank")
    driver.get(address)
    assert shown(driver, ROWS) == order
    assert sort_button(driver, "toxicity").text == "↓2"


def test_a_facet_keeps_its_rows_and_the_address_keeps_the_facet(driver, site):
    driver.get(f"{site}/index.html")
    press(driver, find(driver, "input[name=stage][value=sft]"))
    assert shown(driver, ROWS) == ["sft-1b", "sft-6b"]
    assert "stage=sft" in driver.current_url
    assert find(driver, ".status").text == "2 of 8 rows"
    driver.refresh()
    assert shown(driver, ROWS) == ["sft-1b", "sft-6b"]
    press(driver, find(driver, "button[type=reset]"))
    assert len(shown(driver, ROWS)) == 8
    assert "stage" not in driver.current_url


def test_a_kind_keeps_its_columns_and_the_picker_hides_one(driver, site):
    driver.get(f"{site}/index.html?kind=qa&hide=reading")
    heads = driver.execute_script(
        "return [...document.querySelectorAll('th[data-column]')].filter((head) => !head.hidden)"
        ".map((head) => head.dataset.column)"
    )
    assert heads == ["truthful", "truthful@terse"]
    box = find(driver, "input[name=hide][value=reading]")
    assert not box.is_selected()


def test_a_search_keeps_the_models_it_names(driver, site):
    driver.get(f"{site}/index.html?q=PTX-6")
    assert shown(driver, ROWS) == ["ppo-ptx-6b"]


def test_the_keyboard_opens_and_closes_a_facet(driver, site):
    driver.get(f"{site}/index.html")
    summary = find(driver, ".facet summary")
    summary.send_keys("\n")
    assert find(driver, ".facet").get_attribute("open") is not None
    summary.send_keys("\ue00c")  # Escape
    assert find(driver, ".facet").get_attribute("open") is None
    assert driver.switch_to.active_element == summary


def test_models_are_compared_as_the_address_says(driver, site):
    pairs = "table[data-table=pairs] tbody tr"
    driver.get(f"{site}/compare.html?m=sft-1b&m=ppo-1b&m=base-1b")
    count = "return [...document.querySelectorAll(arguments[0])].filter((r) => !r.hidden).length"
    assert driver.execute_script(count, pairs) == 3
    press(driver, find(driver, "input[name=m][value=base-1b]"))
    assert driver.execute_script(count, pairs) == 1
    assert driver.current_url.endswith("?m=sft-1b&m=ppo-1b")
    assert "ppo-1b − sft-1b" in find(driver, f"{pairs}:not([hidden])").text


def test_a_theme_is_kept_in_the_address_and_goes_along(driver, site):
    driver.get(f"{site}/index.html")
    paper = "return getComputedStyle(document.body).backgroundColor"
    light = driver.execute_script(paper)
    find(driver, "select[name=theme] option[value=dark]").click()
    assert driver.execute_script(paper) != light
    assert "theme=dark" in driver.current_url
    press(driver, find(driver, "nav a[href='methods.html']"))
    assert driver.current_url.endswith("/methods.html?theme=dark")
    assert driver.execute_script(paper) != light
    assert driver.execute_script("return localStorage.length + document.cookie.length") == 0


def test_the_system_decides_where_no_theme_is_chosen(driver, site):
    paper = "return getComputedStyle(document.body).backgroundColor"
    driver.get(f"{site}/index.html")
    light = driver.execute_script(paper)
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    assert driver.execute_script(paper) != light
    driver.get(f"{site}/index.html?theme=light")
    assert driver.execute_script(paper) == light


def test_the_other_language_shows_the_same_view(driver, site):
    driver.get(f"{site}/index.html?stage=sft")
    press(driver, find(driver, ".switches a[hreflang=zh]"))
    assert driver.current_url.endswith("/zh/index.html?stage=sft")
    assert shown(driver, ROWS) == ["sft-1b", "sft-6b"]


def test_the_first_key_skips_to_the_content_and_focus_can_be_seen(driver, site):
    driver.get(f"{site}/index.html")
    find(driver, "body").send_keys("\t")
    skip = driver.switch_to.active_element
    assert skip.get_attribute("class") == "skip"
    assert skip.rect["x"] >= 0
    outline = driver.execute_script("return getComputedStyle(arguments[0]).outlineStyle", skip)
    assert outline == "solid"
    skip.send_keys("\n")
    assert driver.switch_to.active_element.get_attribute("id") == "content"


def test_the_keyboard_sorts(driver, site):
    driver.get(f"{site}/index.html")
    button = sort_button(driver, "reading")
    button.send_keys(" ")
    assert "-reading" in driver.current_url
    assert button.get_attribute("aria-label") == "Sort by reading"


def test_a_number_leads_to_its_items_and_their_texts(driver, site):
    driver.get(f"{site}/index.html")
    press(driver, find(driver, f"{ROWS} a[href='task/reading.html#score-sft-1b']"))
    assert driver.current_url.endswith("/task/reading.html#score-sft-1b")
    press(driver, find(driver, "tr:target a[href='#items']"))
    press(driver, find(driver, "table[data-table=items] a"))
    assert "/item/reading/" in driver.current_url
    text = find(driver, "#content").text
    assert "Question reading-" in text
    assert "The answer to reading-" in text


def test_a_link_into_a_closed_list_opens_it(driver, site):
    driver.get(f"{site}/task/truthful.html#ranks-truthful~terse")
    assert find(driver, "[id='ranks-truthful~terse']").is_displayed()


def test_rows_are_cards_on_a_telephone(driver, site):
    sized(driver, 390)
    driver.get(f"{site}/index.html")
    row = find(driver, ROWS)
    assert row.rect["width"] < 390
    assert row.rect["height"] > 150
    label = driver.execute_script(
        "return getComputedStyle(arguments[0], '::before').content",
        find(driver, f"{ROWS} td:nth-of-type(2)"),
    )
    assert label == '"reading"'


def test_a_facet_fits_on_a_telephone(driver, site):
    sized(driver, 390)
    driver.get(f"{site}/index.html")
    for facet in driver.find_elements("css selector", ".facet"):
        driver.execute_script("arguments[0].open = true", facet)
        box = facet.find_element("css selector", "fieldset").rect
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390


def test_without_a_script_the_one_file_shows_tables_and_charts(driver, built, tmp_path):
    (written,) = build_site(built.board, tmp_path, one_file=True)
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    driver.get(written.as_uri())
    text = find(driver, "#index--scores ~ .scroll table").text
    assert "sft-1b" in text
    assert find(driver, "svg.chart").is_displayed()
    assert not find(driver, "form.controls").is_displayed()


def test_the_one_file_sorts_and_filters_from_a_disk(driver, built, tmp_path):
    (written,) = build_site(built.board, tmp_path, one_file=True)
    driver.get(f"{written.as_uri()}?stage=ppo")
    rows = "table[data-table=index--scores] tbody tr"
    assert shown(driver, rows) == ["ppo-1b", "ppo-6b"]
    press(driver, find(driver, "table[data-table=index--scores] th[data-column=reading] .sort"))
    assert complaints(driver) == []


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """A site with a page of judgments."""
    folder = tmp_path_factory.mktemp("judged")
    rows = [
        {**row, "parameters": {"base": 1.2e9, "ppo": 6e9}[row["model"]]}
        for row in judged_rows(judges=("ann", "bob"), same_mind=0.5)
    ]
    found = read_judgments(write_lines(folder / "panel.jsonl", rows))
    build_site(make_board(found.results), folder / "site")
    with served(folder / "site") as address:
        yield address


@pytest.mark.parametrize("page", ["judgments.html", "zh/judgments.html"])
def test_judgments_fit_a_telephone_and_sort(driver, judged, page):
    sized(driver, 390)
    driver.get(f"{judged}/{page}")
    wide = driver.execute_script("return document.documentElement.scrollWidth")
    assert wide <= 390
    sized(driver, 1280)
    find(driver, "table[data-table=ratings-panel] th:nth-child(2) .sort").click()
    first = shown(driver, "table[data-table=ratings-panel] tbody tr:has(th a)")[0]
    assert first in ("base", "ppo")
    assert complaints(driver) == []


@pytest.mark.skipif(not Path(AXE).is_file(), reason="BENCH_AXE does not name axe.min.js")
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("page", ["judgments.html", "zh/judgments.html"])
def test_axe_finds_nothing_to_mend_in_judgments(driver, judged, page, theme):
    assert found_by_axe(driver, f"{judged}/{page}?theme={theme}") == []


@pytest.mark.skipif(not Path(AXE).is_file(), reason="BENCH_AXE does not name axe.min.js")
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("page", PAGES)
def test_axe_finds_nothing_to_mend(driver, site, page, theme):
    assert found_by_axe(driver, f"{site}/{page}?theme={theme}") == []


def found_by_axe(driver, address):
    """What axe-core finds on a page with everything unfolded."""
    driver.get(address)
    driver.execute_script("document.querySelectorAll('details').forEach((one) => one.open = true)")
    driver.execute_script(Path(AXE).read_text("utf-8"))
    found = driver.execute_async_script(
        "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa',"
        " 'best-practice'], rules: {'label-content-name-mismatch': {enabled: false}}})"
        ".then(arguments[0])"  # links in drawings show signs, and their labels say them in words
    )
    return [
        (one["id"], [node["target"] for node in one["nodes"][:3]]) for one in found["violations"]
    ]
