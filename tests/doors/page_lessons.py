"""What somebody teaches on the page: the words, what was to be done, and forgetting it again."""

import pathlib
import sqlite3

from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from page_browser import Browser, tell, type_command


def kept(folder):
    """What lies in the database itself."""
    path = next(pathlib.Path(folder).rglob("home.db"))
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        rows = database.execute("SELECT value FROM state WHERE key LIKE 'learned/%' AND value != 'null' ORDER BY key")
        return [value for (value,) in rows]


def wrong(browser, kind):
    """Opens the dialog for the newest turn."""
    browser.click(".turn .wrong")
    browser.click(f"#wrong input[value={kind}]")


def check(browser):
    browser.click("#wrong-check")
    browser.until("the proposal", "return !document.querySelector('.proposal').hidden")
    return {
        "text": browser.find(".proposal").text,
        "may_agree": browser.find("#wrong-agree").is_displayed(),
        "focus": browser.focus(),
    }


def agree(browser):
    browser.click("#wrong-agree")
    browser.until("the lesson", "return document.querySelector('.proposal button')")


def close(browser):
    browser.click("#wrong .end button")
    browser.until("the dialog to close", "return !document.querySelector('#wrong')")


def words(browser, folder, said, meant, entity):
    """Corrects the words of what was typed. Nothing is learned before it is agreed to; then the same words do it."""
    before = type_command(browser, said)
    wrong(browser, "words")
    browser.fill("#wrong-text", "flibber the gibbet")
    nonsense = check(browser)
    browser.fill("#wrong-text", meant)
    proposal = check(browser)
    stored = kept(folder)
    close(browser)
    refused = type_command(browser, said)
    untouched = (kept(folder), browser.state(entity))
    wrong(browser, "words")
    browser.fill("#wrong-text", meant)
    check(browser)
    agree(browser)
    close(browser)
    after = type_command(browser, said)
    browser.becomes(entity, "on")
    return {
        "before": before, "nonsense": nonsense, "proposal": proposal, "stored_before": stored, "refused": refused,
        "untouched": untouched, "after": after, "stored": kept(folder), "explained": browser.find("#explained").text,
    }


def lessons(url, command, folder):
    with Browser("/dev/null", "en-US", folder, microphone=True) as browser:
        browser.open(url)
        tell("words", **words(browser, folder, "make the lantern glow", "turn on the bathroom light", "light.bathroom"))

        # What was spoken is taught to mean something else; spoken again, it does that.
        browser.click("#hands-free")
        browser.until("listening", "return document.body.dataset.state === 'listening'")
        browser.say(command)
        browser.becomes("light.kitchen", "on")
        browser.until("the answer", "return document.querySelector('.turn .wrong') && document.body.dataset.state === 'listening'")
        browser.click('[data-entity="light.kitchen"] [role=switch]')
        browser.becomes("light.kitchen", "off")
        blinds = browser.state("cover.bedroom_blinds")
        wrong(browser, "intent")
        Select(browser.find("#wrong-thing")).select_by_value("cover.bedroom_blinds")
        actions = [option.get_attribute("value") for option in browser.all("#wrong-action option")]
        Select(browser.find("#wrong-action")).select_by_value("open")
        sentence = browser.find("#wrong-sentence").get_attribute("value")
        proposal = check(browser)
        stored = len(kept(folder))
        agree(browser)
        close(browser)
        browser.say(command)
        browser.becomes("cover.bedroom_blinds", "open")
        browser.until("why", "return document.querySelector('#explained .why')?.textContent.includes('taught')")
        tell(
            "intent", actions=actions, sentence=sentence, proposal=proposal, stored_before=stored, stored=kept(folder),
            blinds=blinds, light=browser.state("light.kitchen"), why=browser.find("#explained .why").text,
        )


def taught(url, folder):
    """After the server was started again: it still knows, learns in Chinese too, and forgets when it is told to."""
    with Browser("/dev/null", "en-US", folder) as browser:
        browser.open(url)
        browser.click('[data-entity="light.bathroom"] [role=switch]')
        browser.becomes("light.bathroom", "off")
        type_command(browser, "Make the lantern glow!")
        browser.becomes("light.bathroom", "on")
        with Browser("/dev/null", "zh-CN", folder) as chinese:
            chinese.open(url)
            tell("chinese", **words(chinese, folder, "让灯笼亮起来", "打开书房灯", "light.office"))
        before = kept(folder)
        browser.driver.get(f"{url}/health")
        browser.until("the lessons", "return document.querySelector('#lessons li')")
        lesson = next(own for own in browser.all("#lessons li") if "lantern" in own.text)
        told = lesson.text
        lesson.find_element(By.CSS_SELECTOR, "button").click()
        browser.until("it to be gone", "return ![...document.querySelectorAll('#lessons li')].some((own) => own.textContent.includes('lantern'))")
        browser.open(url)
        tell("forgotten", told=told, before=len(before), after=len(kept(folder)), reply=type_command(browser, "make the lantern glow"))
