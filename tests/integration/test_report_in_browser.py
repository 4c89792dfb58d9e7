# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""report.html in a browser: its structure, its keyboard, its contrast in both themes, and that nothing in it runs or loads."""

from __future__ import annotations

import json

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._report._html import html_document
from ansible_collections.fathom.submariner.plugins.module_utils._report._text import harmless
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._report import reports
from tests.integration.browser import Browser

AT = "2026-11-21T15:00:00Z"
REPORTS = {
    "everything": reports.everything,
    "one": lambda: reports.ring(1),
    "eight": lambda: reports.ring(8, down=[(2, 3)], silent=[6]),
    "thirty": lambda: reports.ring(30, down=[(1, 3), (4, 20)], silent=[7]),
    "hostile": reports.hostile,
}

# Every text that is seen, with its own colour and the colours beneath it, as relative luminances (WCAG 2.2). Text in SVG takes the shape under its middle.
CONTRAST = """(() => {
  const parse = text => { const parts = text.match(/[\\d.]+/g).map(Number); return parts.length > 3 && parts[3] === 0 ? null : parts.slice(0, 3); };
  const luminance = rgb => { const [r, g, b] = rgb.map(value => { const part = value / 255; return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const drawn = element => {
    const box = element.getBoundingClientRect(), x = box.left + box.width / 2, y = box.top + box.height / 2;
    const shapes = [...element.closest('svg').querySelectorAll('rect, circle')].filter(shape => {
      const frame = shape.getBoundingClientRect();
      return frame.left <= x && x <= frame.right && frame.top <= y && y <= frame.bottom && parse(getComputedStyle(shape).fill);
    });
    return shapes.length ? parse(getComputedStyle(shapes[shapes.length - 1]).fill) : null;
  };
  const beneath = element => {
    const svg = element.closest('svg');
    if (svg && drawn(element)) return drawn(element);
    for (let at = svg || element; at; at = at.parentElement) { const found = parse(getComputedStyle(at).backgroundColor); if (found) return found; }
    return parse(getComputedStyle(document.documentElement).backgroundColor) || [255, 255, 255];
  };
  const low = []; let seen = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !element.checkVisibility() || ['title', 'desc', 'STYLE'].includes(element.tagName)) continue;
    const style = getComputedStyle(element), ink = parse(element.closest('svg') ? style.fill : style.color);
    const [high, dark] = [luminance(ink), luminance(beneath(element))].sort((one, other) => other - one);
    const ratio = (high + 0.05) / (dark + 0.05);
    seen += 1;
    if (ratio < 4.5) low.push([walker.currentNode.textContent.trim().slice(0, 40), ratio, ink, beneath(element)]);
  }
  return {seen, low};
})()"""


@pytest.fixture(scope="module")
def browser():
    started = Browser()
    yield started
    started.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    made = {}
    for name, report in REPORTS.items():
        made[name] = folder / f"{name}.html"
        made[name].write_text(html_document(report(), generated_at=AT), encoding="utf-8")
    return made


@pytest.mark.parametrize("name", REPORTS)
def test_no_request_leaves_and_nothing_is_complained_about(browser, pages, name):
    browser.open(pages[name])
    assert browser.requests == [pages[name].resolve().as_uri()]
    assert browser.value("performance.getEntriesByType('resource').length") == 0
    assert browser.complaints == []


def test_the_policy_would_stop_what_the_escaping_let_through(browser, pages, tmp_path):
    """The same page with a hole in it: the script does not run, the picture is not fetched."""
    hole = tmp_path / "hole.html"
    hole.write_text(
        pages["one"].read_text().replace("<main", "<script>document.title = 'owned'</script><img src='http://127.0.0.1:9/x.png'><main", 1), encoding="utf-8"
    )
    browser.open(hole)
    assert browser.value("document.title") != "owned"
    assert any("Content Security Policy" in text for text in browser.complaints)
    assert browser.value("performance.getEntriesByType('resource').filter(entry => entry.responseStatus).length") == 0


def test_hostile_strings_stay_text(browser, pages):
    browser.open(pages["hostile"])
    evil = harmless(reports.EVIL)
    assert browser.value("document.title") == "Submariner: Cross-cluster traffic is broken"
    assert browser.value("document.querySelectorAll('script, img, iframe, object, embed, [onerror], [onmouseover]').length") == 0
    assert browser.value("[...document.querySelectorAll('article h3')].map(head => head.textContent)") == [evil]
    assert browser.value(f"document.body.innerText.split({json.dumps(evil)}).length") > 10
    assert browser.value("[...document.querySelectorAll('a')].every(link => link.getAttribute('href').startsWith('#') || link.protocol === 'https:')")
    assert not browser.value("[...document.body.innerText].some(letter => letter === '\\u202e' || letter === '\\u001b')")


@pytest.mark.parametrize("name", REPORTS)
def test_structure(browser, pages, name):
    browser.open(pages[name])
    levels = browser.value("[...document.querySelectorAll('h1, h2, h3, h4')].map(head => Number(head.tagName[1]))")
    assert levels.count(1) == 1 and levels[0] == 1
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:])), levels
    assert browser.value("['header', 'nav', 'main', 'footer'].every(name => document.querySelectorAll(`body > .page > ${name}`).length === 1)")
    assert browser.value(
        "[...document.querySelectorAll('table')].every(table => table.caption.textContent.trim() && table.querySelector('thead th[scope=col]'))"
    )
    assert browser.value(
        "[...document.querySelectorAll('svg:not([aria-hidden])')].every(svg => svg.querySelector('title').textContent && svg.getAttribute('role') === 'img')"
    )
    ids = browser.value("[...document.querySelectorAll('[id]')].map(element => element.id)")
    assert len(ids) == len(set(ids)), ids
    assert browser.value("[...document.querySelectorAll('nav a')].every(link => document.querySelector(link.getAttribute('href')))")
    assert browser.value(
        "[...document.querySelectorAll('[aria-labelledby]')].every(e => e.getAttribute('aria-labelledby').split(' ').every(id => document.getElementById(id)))"
    )
    assert browser.value("document.documentElement.lang") == "en"


@pytest.mark.parametrize("width", [360, 768, 1280, 1600])
@pytest.mark.parametrize("name", REPORTS)
def test_nothing_is_wider_than_the_screen(browser, pages, name, width):
    browser.open(pages[name], width=width)
    assert browser.value("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["everything", "eight", "thirty"])
def test_contrast(browser, pages, name, dark):
    browser.open(pages[name], dark=dark)
    browser.value("document.querySelectorAll('details').forEach(entry => { entry.open = true })")
    measured = browser.value(CONTRAST)
    assert measured["seen"] > 100
    assert measured["low"] == []
    page = browser.value("getComputedStyle(document.body).backgroundColor")
    assert (page == "rgb(17, 21, 26)") == dark


def test_a_state_is_told_by_a_word_too(browser, pages):
    browser.open(pages["eight"])
    assert browser.value("[...document.querySelectorAll('.badge')].every(badge => badge.textContent.trim().length > 1)")
    assert (
        browser.value(
            "[...document.querySelectorAll('.map .tunnel')].map(line => getComputedStyle(line).strokeDasharray).filter(dash => dash !== 'none').length"
        )
        == 8
    )
    words = browser.value("[...document.querySelectorAll('.map text')].map(text => text.textContent)")
    assert {"BLOCKER", "OK", "NOT READ", "error"} <= set(words)


def test_the_keyboard_reaches_everything_in_order(browser, pages):
    browser.open(pages["everything"])
    wanted = browser.value("[...document.querySelectorAll('a[href], summary, [tabindex=\"0\"]')].filter(element => element.checkVisibility()).length")
    browser.value("document.querySelectorAll('a[href], summary, [tabindex=\"0\"]').forEach((element, index) => { element.dataset.number = index })")
    reached = []
    for _press in range(wanted):
        browser.press("Tab")
        number = browser.value("document.activeElement.dataset.number")
        style = browser.value(
            "(() => { const style = getComputedStyle(document.activeElement); return [style.outlineStyle, parseFloat(style.outlineWidth)] })()"
        )
        assert number is not None, f"after {len(reached)} of {wanted}"
        assert style[0] != "none" and style[1] >= 2
        reached.append(int(number))
    assert reached == sorted(reached) and len(set(reached)) == wanted


def test_the_first_stop_skips_to_the_report_and_enter_unfolds(browser, pages):
    browser.open(pages["everything"])
    browser.press("Tab")
    assert browser.value("document.activeElement.textContent") == "Skip to the report"
    assert browser.value("document.activeElement.getBoundingClientRect().left >= 0")
    browser.value("document.querySelector('main summary').focus()")
    browser.press("Enter")
    assert browser.value("document.activeElement.parentElement.open")


def test_it_is_whole_without_javascript(browser, pages):
    browser.open(pages["everything"], script=False)
    without = browser.value("document.body.innerText")
    browser.open(pages["everything"])
    assert browser.value("document.body.innerText") == without
    assert "Cross-cluster traffic is broken" in without


def test_print_is_light_and_unfolds_what_is_folded(browser, pages):
    browser.open(pages["everything"], dark=True, media="print")
    assert browser.value("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert browser.value("document.querySelector('nav').checkVisibility()") is False
    assert browser.value("[...document.querySelectorAll('details > :not(summary)')].every(body => body.checkVisibility({contentVisibilityAuto: true}))")
    assert browser.value("document.querySelector('details > :not(summary)').getBoundingClientRect().height") > 0
    assert browser.value(CONTRAST)["low"] == []


def test_thousands_of_nodes_stay_below_a_megabyte(browser, tmp_path):
    page = tmp_path / "big.html"
    page.write_text(html_document(reports.thousands(), generated_at=AT), encoding="utf-8")
    assert page.stat().st_size < 1_000_000
    browser.open(page)
    assert "worker-" in browser.value("document.querySelector('#findings').innerText")
