"""The HTML report in a real browser: it can be used, by everyone, and nothing in it runs or is loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser, Page, expect, sync_playwright

from migrator.model.results import RepoResult, TrustRow
from migrator.report.registry import write_report
from tests.conftest import needed
from tests.report.results import HOOK, HOSTILE, KEYS, failed, hostile, many, migrated, nothing, sample

OpenReport = Callable[..., Page]

# The least ratio by https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio, and whose it is.
WORST_CONTRAST = """() => {
  const channels = (text) => text.match(/[\\d.]+/g).map(Number);
  const linear = (c) => (c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const ground = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = channels(getComputedStyle(one).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
      if (colour[3] !== 0) throw new Error("half transparent: " + one.className);
    }
  };
  let worst = [99, "nothing"];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility() || element.closest("script, style")) continue;
    const [a, b] = [light(channels(getComputedStyle(element).color)), light(ground(element))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < worst[0]) worst = [ratio, element.outerHTML];
  }
  return worst;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = needed("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_report(browser: Browser, tmp_path: Path) -> Iterator[OpenReport]:
    """A function that shows a report of results; the page must ask for nothing but itself, and complain of nothing."""
    opened: list[tuple[Page, list[str], list[str]]] = []

    def show(results: Iterable[RepoResult], **options: Any) -> Page:
        file = tmp_path / "report.html"
        write_report(str(file), results)
        context = browser.new_context(**options)
        page = context.new_page()
        requests: list[str] = []
        complaints: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
        page.goto(file.as_uri())
        opened.append((page, requests, complaints))
        return page

    yield show
    for page, requests, complaints in opened:
        page.context.close()
        assert set(requests) == {(tmp_path / "report.html").as_uri()}
        assert not complaints


def names(page: Page) -> list[str]:
    """The repositories that can be seen, from the top."""
    return page.locator(".repositories > tbody:visible > tr:first-child > th").all_inner_texts()


def test_words_and_outcomes_filter(open_report: OpenReport) -> None:
    page = open_report(sample())
    count = page.get_by_role("status")
    expect(count).to_have_text("5 of 5 shown")
    page.get_by_role("button", name="Refused 1").click()
    assert names(page) == ["legacy"]
    expect(count).to_have_text("1 of 5 shown")
    expect(page.get_by_role("button", name="Refused 1")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name="All 5")).to_have_attribute("aria-pressed", "false")
    page.get_by_role("searchbox", name="Filter").fill("shop")
    expect(page.get_by_text("No repository matches.")).to_be_visible()
    page.get_by_role("button", name="Show all").click()
    assert len(names(page)) == 5
    page.get_by_role("searchbox").fill("REPOSITORY git")
    assert names(page) == ["gone"]
    page.keyboard.press("Escape")
    assert len(names(page)) == 5


def test_columns_sort_up_and_down(open_report: OpenReport) -> None:
    page = open_report(sample())
    head = page.get_by_role("columnheader", name="Repository").first
    assert head.get_attribute("aria-sort") is None
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    assert names(page) == ["docs", "gone", "legacy", "payments", "shop"]
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "descending")
    assert names(page) == ["shop", "payments", "legacy", "gone", "docs"]
    page.get_by_role("button", name="Places to rewrite").click()
    assert names(page)[:2] == ["shop", "payments"]
    assert head.get_attribute("aria-sort") is None


def test_numbers_in_names_sort_as_numbers(open_report: OpenReport) -> None:
    page = open_report(many(12))
    page.get_by_role("button", name="Repository").click()
    assert names(page) == [f"team-{number}/service-{number}" for number in range(12)]


def test_all_of_it_works_from_the_keyboard(open_report: OpenReport) -> None:
    page = open_report(sample())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the repositories"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("pay")
    assert names(page) == ["payments"]
    page.keyboard.press("Escape")
    for _ in range(7):  # the buttons of the outcomes, then the first column's
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert names(page)[0] == "docs"
    page.locator("#r1 summary").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Diff of shop")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    for _ in range(3):  # the command and the text to copy come before
        page.keyboard.press("Tab")
    expect(page.get_by_role("region", name="Diff of shop")).to_be_focused()


def test_a_diff_tells_added_from_removed_and_has_a_name(open_report: OpenReport) -> None:
    page = open_report(sample())
    diff = page.get_by_role("region", name="Diff of shop")
    expect(diff).to_be_hidden()
    page.locator("#r1 summary").click()
    expect(diff).to_be_visible()
    assert diff.locator("del").all_inner_texts() == [
        '-  access_key = "********" # the CI user\'s\n',
        "-- looks like a head\n",
    ]
    assert diff.locator("ins").count() == 4
    assert diff.locator("b").inner_text().strip() == "live/main.tf"
    assert diff.locator("i.s").first.inner_text() == '"aws"'


def test_a_link_to_a_repository_opens_it_even_if_it_was_filtered_out(open_report: OpenReport) -> None:
    page = open_report(sample())
    page.get_by_role("button", name="Failed 1").click()
    page.locator("#refusals").get_by_role("link", name="legacy broken.tf:14").click()
    expect(page.locator("#r3 details")).to_have_attribute("open", "")
    expect(page.locator("#r3 .findings")).to_be_in_viewport()
    assert page.locator("#r3 .findings tbody tr").count() == 2


def test_the_steps_lead_from_trust_to_the_old_keys(open_report: OpenReport) -> None:
    """A step names the repositories that it is for, and links to them; the row of a repository has its own steps."""
    role = "arn:aws:iam::123456789012:role/shop"
    shop = replace(migrated(), branch="spacelift-oidc", trusts=(TrustRow(role, ("spacelift_stack.shop",)),))
    page = open_report([shop, migrated("ours"), nothing(), failed()])
    steps = page.get_by_role("region", name="To do, in this order").locator(".steps > li")
    first = [text.splitlines()[0] for text in steps.all_inner_texts()]
    assert [line.split()[0] for line in first] == [
        "Run",
        "Apply",
        "add",
        *("Discard", "Push", "Merge,", "Remove"),
        *["Deactivate"] * 2,
    ]
    expect(steps.nth(1)).to_contain_text(f"shop: {role}")
    expect(steps.nth(2)).to_contain_text(HOOK)
    assert steps.nth(4).get_by_role("listitem").all_inner_texts() == ["shop: spacelift-oidc", "ours"]
    steps.nth(1).get_by_role("link", name="shop").click()
    assert page.locator("#r1 .steps > li").count() == len(first)
    assert not open_report([migrated()]).locator("#r1 .steps").count()
    expect(open_report([nothing(), failed()]).locator("#todo")).to_have_count(0)


def test_a_pull_request_is_a_link_only_if_it_is_an_address(open_report: OpenReport) -> None:
    request = "https://github.com/acme/shop/pull/7"
    page = open_report(
        [replace(migrated(), pull_request=request), replace(migrated("ours"), pull_request="javascript:window.hit=1")]
    )
    page.locator("#r1 summary").click()
    expect(page.get_by_role("link", name=request)).to_have_attribute("href", request)
    assert not page.locator("a[href^=javascript]").count()


def test_it_can_be_read_without_scripts(open_report: OpenReport) -> None:
    page = open_report(sample(), java_script_enabled=False)
    assert len(names(page)) == 5
    assert not page.get_by_role("button").count()
    expect(page.get_by_role("searchbox")).to_be_hidden()
    expect(page.get_by_role("columnheader", name="Outcome").first).to_be_visible()
    page.locator("#r1 summary").click()
    expect(page.get_by_role("region", name="Diff of shop")).to_be_visible()


def test_every_part_has_its_role_and_name(open_report: OpenReport) -> None:
    page = open_report(sample())
    for role in ("banner", "main", "contentinfo", "search"):
        expect(page.get_by_role(role)).to_have_count(1)
    expect(page.get_by_role("navigation", name="Sections").get_by_role("link")).to_have_count(5)
    for name in ("Repositories", "Stacks", "Keys in the code", "To do, in this order"):
        expect(page.get_by_role("region", name=name, exact=True)).to_have_count(1)
    expect(page.get_by_role("img", name="Repositories by outcome")).to_have_count(1)
    for element in page.locator("details").all():
        element.evaluate("element => { element.open = true; }")
    for table in page.get_by_role("table").all():
        assert table.locator("caption").first.text_content()
        assert not table.locator("th:not([scope])").count()
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3')].map(e => +e.tagName[1])")
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert page.evaluate("document.documentElement.lang") == "en"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_all_text_has_contrast_and_the_page_fits(open_report: OpenReport, scheme: Any, width: int) -> None:
    page = open_report(sample(), color_scheme=scheme, viewport={"width": width, "height": 800})
    page.evaluate("document.querySelectorAll('details').forEach(e => e.open = true)")
    page.get_by_role("button", name="Failed 1").click()
    page.get_by_role("button", name="All 5").click()
    ratio, element = page.evaluate(WORST_CONTRAST)
    assert ratio >= 4.5, element
    assert page.evaluate("document.documentElement.scrollWidth") == width
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(15, 20, 27)") == (scheme == "dark")


def test_it_can_be_printed(open_report: OpenReport) -> None:
    page = open_report(sample())
    page.emulate_media(media="print")
    expect(page.get_by_role("searchbox")).to_be_hidden()
    assert len(names(page)) == 5
    assert page.pdf().startswith(b"%PDF")


def test_nothing_of_a_hostile_repository_runs(open_report: OpenReport) -> None:
    page = open_report(hostile())
    page.evaluate("document.querySelectorAll('details').forEach(e => e.open = true)")
    page.get_by_role("searchbox").fill("script")
    page.get_by_role("button", name="Repository").click()
    assert page.evaluate("window.hit") is None
    counts = "(selector) => document.querySelectorAll(selector).length"
    assert page.evaluate(counts, "script") == 1
    assert page.evaluate(counts, "style") == 1
    assert page.evaluate(counts, "img, iframe, object, embed, base, link, form, [src], [style]") == 0
    assert page.evaluate(counts, "tbody[id]") == len(HOSTILE)
    assert page.evaluate(
        "[...document.querySelectorAll('*')].every(e => [...e.attributes].every(a => !a.name.startsWith('on')))"
    )
    assert page.evaluate("[...document.querySelectorAll('a')].every(a => a.getAttribute('href').startsWith('#'))")
    text = page.evaluate("document.body.textContent")
    assert HOSTILE[0] in text
    assert "{{ 7 * 7 }}{% raw %}{0}" in text
    assert not [key for key in KEYS if key in page.content()]


def test_the_policy_would_stop_what_came_through(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    write_report(str(file), sample())
    evil = "<script>window.hit=1</script><img src=x onerror='window.hit=2'><p id=p style='color:red'>"
    file.write_text(file.read_text().replace("<footer>", f"{evil}<footer>"))
    context = browser.new_context()
    page = context.new_page()
    page.goto(file.as_uri())
    assert page.evaluate("window.hit") is None
    assert page.evaluate("getComputedStyle(document.getElementById('p')).color") != "rgb(255, 0, 0)"
    assert page.get_by_role("status").inner_text() == "5 of 5 shown"
    context.close()


def test_a_thousand_repositories_can_be_used(open_report: OpenReport) -> None:
    page = open_report(many(1000))
    took = page.evaluate("""() => {
      const words = document.getElementById("words");
      const before = performance.now();
      words.value = "service-99";
      words.dispatchEvent(new Event("input"));
      document.body.offsetHeight;
      document.querySelector("#table thead button").click();
      document.body.offsetHeight;
      return performance.now() - before;
    }""")
    expect(page.get_by_role("status")).to_have_text("11 of 1,000 shown")
    assert took < 2000
    assert page.evaluate("performance.timing.loadEventEnd - performance.timing.responseEnd") < 10_000


def test_no_results_are_a_page_too(open_report: OpenReport) -> None:
    page = open_report([])
    expect(page.get_by_text("There were no repositories.")).to_be_visible()
    expect(page.get_by_text("Nothing was refused.")).to_be_visible()
