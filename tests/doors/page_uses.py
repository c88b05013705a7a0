"""The page by keyboard and without hands, and its voices."""

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from page_browser import Browser, Wire, tell, type_command

HEARS = "return document.body.dataset.state === 'listening'"
TRACKS = "return window.air.stream.getTracks().map((own) => own.readyState)"


def hands_free(url, question, command, chinese, folder):
    """Somebody asks, speaks again into the answer, loses the connection, and goes on, all after one click. The
    microphone is one that the test speaks into, so that it speaks when the answer sounds, however long that takes."""
    wire = Wire(url.removeprefix("http://"))
    wire.join()
    with Browser("/dev/null", "en-US", folder, microphone=True) as browser:
        browser.open(wire.url)
        before = browser.state("light.kitchen")
        browser.click("#hands-free")
        browser.until("listening", HEARS)
        browser.say(question)
        browser.until("the answer's sound", "return document.body.dataset.state === 'speaking' && Number(document.body.dataset.loudest) > 0.02")
        browser.say(command)
        browser.becomes("light.kitchen", "on")
        note = browser.until(
            "how much was heard",
            "return [...document.querySelectorAll('.turn .quiet')].map((own) => own.textContent).find((text) => text)",
        )
        tell("interrupted", before=before, note=note, quiet_ms=browser.js("return window.quiet"), asked=browser.js("return window.asked"))

        # It goes on listening after an answer, and after the connection was lost.
        browser.until("listening again", HEARS)
        wire.cut()
        lost = browser.until("the loss", "return document.body.dataset.state === 'lost' && document.querySelector('#now').textContent")
        wire.join()
        browser.until("listening again", HEARS)
        office = browser.state("light.office")
        browser.say(chinese)
        browser.becomes("light.office", "on")
        browser.until("listening again", HEARS)
        browser.click("#hands-free")
        browser.rests()
        tell(
            "free", lost=lost, before=office, checked=browser.find("#hands-free").is_selected(), tracks=browser.js(TRACKS),
            pressed=browser.find("#listen").get_attribute("aria-pressed"),
        )


def keys(url, folder):
    """Everything by keyboard: the button held and tapped, and a control that changes under the finger."""
    with Browser("/dev/null", "en-US", folder, microphone=True) as browser:
        browser.open(url)
        act = lambda: ActionChains(browser.driver)  # noqa: E731
        act().send_keys(Keys.TAB).perform()
        skip = browser.js("return document.activeElement.className")
        act().send_keys(Keys.ENTER, Keys.TAB).perform()
        first = browser.focus()
        act().key_down(Keys.SPACE).pause(1).perform()
        browser.until("listening while the key is down", HEARS)
        act().key_up(Keys.SPACE).perform()
        browser.until("the microphone to be off", "return document.querySelector('#listen').ariaPressed === 'false'")
        held = browser.js(TRACKS)
        browser.rests()
        act().send_keys(Keys.SPACE).pause(1).perform()
        browser.until("listening after a tap", HEARS)
        act().send_keys(Keys.SPACE).perform()
        browser.until("the microphone to be off", "return document.querySelector('#listen').ariaPressed === 'false'")
        tell("space", skip=skip, first=first, held=held)

        # What a key changes stays under it.
        browser.find('[data-entity="lock.front_door"] button[aria-label^=Lock]').send_keys(Keys.ENTER)
        browser.becomes("lock.front_door", "locked")
        lock = browser.focus()
        type_command(browser, "what is the outdoor temperature")
        browser.until("the answer's sound", "return document.body.dataset.state === 'speaking' && ears.level > 0.005")
        act().send_keys(Keys.ESCAPE).perform()
        note = browser.until("how much was heard", "return document.querySelector('.turn .quiet').textContent")
        browser.until("silence", "return ears.level < 0.001")
        type_command(browser, "set a timer for 9 minutes")
        browser.until("the timer", "return document.querySelector('.timer time')")
        left = "const [m, s] = document.querySelector('.timer time').textContent.split(':'); return 60 * m + Number(s)"
        before = browser.js(left)
        browser.find(".timer button:nth-of-type(2)").send_keys(Keys.ENTER)
        browser.until("a longer timer", f"{left} > {before}")
        tell("focus", lock=lock, note=note, timer=browser.focus())


def voices(url, folder):
    """A voice is fetched while one looks on, is heard, and then answers."""
    with Browser("/dev/null", "zh-CN", folder) as browser:
        browser.open(url)
        type_command(browser, "打开书房灯")
        browser.becomes("light.office", "on")
        browser.rests()
        silent = browser.js("return ears.loudest")

        browser.driver.get(f"{url}/health")
        row = '[data-model="kokoro-zf-xiaobei"]'
        browser.until("the models", f"return document.querySelector('{row} td button')")
        mute = len(browser.all(f"{row} td:last-child button"))
        browser.js(
            """window.seen = [];
               new MutationObserver(() => {
                 const bar = document.querySelector(`${arguments[0]} progress[max]`);
                 if (bar && window.seen.at(-1) !== bar.value / bar.max) window.seen.push(bar.value / bar.max);
               }).observe(document.body, {subtree: true, childList: true, attributes: true})""",
            row,
        )
        browser.find(f"{row} td button").send_keys(Keys.ENTER)
        browser.until("the voice to be here", f"return document.querySelector('{row} td:last-child button')")
        tell("fetched", seen=browser.js("return window.seen"), mute=mute, state=browser.find(f"{row} td:nth-last-child(2)").text, focus=browser.focus())
        before = browser.js("return ears.loudest")
        browser.click(f"{row} td:last-child button")
        browser.until("the voice", "return ears.loudest > 0.02")
        broken = '[data-model="kokoro-zf-xiaoni"]'
        browser.click(f"{broken} td button")
        why = browser.until("why not", "return !document.querySelector('#line').hidden && document.querySelector('#line').textContent")
        trouble = browser.until("the trouble", "return document.querySelector('#troubles li')?.textContent")
        tell("heard", before=before, loudest=browser.js("return ears.loudest"), why=why, trouble=trouble)

        # Chosen, it answers; and is chosen when one comes again.
        browser.open(url)
        browser.click("details summary")
        browser.until("the voices", "return document.querySelector('#voice option[value=kokoro-zf-xiaobei]')")
        Select(browser.find("#voice")).select_by_value("kokoro-zf-xiaobei")
        Select(browser.find("#spoken")).select_by_value("zh")
        Select(browser.find("#place")).select_by_value("kitchen")
        office = browser.state("light.office")
        type_command(browser, "开灯")
        browser.becomes("light.kitchen", "on")
        browser.until("the answer's sound", "return ears.loudest > 0.02")
        socket = browser.js("return sockets.findLast((own) => own.includes('/v1/stream'))")
        tell("chosen", silent=silent, office=(office, browser.state("light.office")), elsewhere=browser.state("light.bedroom"), socket=socket)
        browser.open(url)
        browser.until("the voices", "return document.querySelector('#voice').value === 'kokoro-zf-xiaobei'")
        tell("again", spoken=browser.find("#spoken").get_attribute("value"), place=browser.find("#place").get_attribute("value"))
