"""Uses the page in a real browser (Chromium without a screen). Prints one JSON object a step.

page_client.py URL ENGLISH.wav CHINESE.wav FOLDER [SCREENSHOTS]
page_client.py --token URL TOKEN FOLDER
page_client.py --interrupt URL QUESTION.wav COMMAND.wav FOLDER
"""

import base64
import json
import pathlib
import shutil
import socket
import sys
import threading
import time
import wave

from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

AXE = (pathlib.Path(sys.prefix) / "axe.min.js").read_text()
PATIENCE = 40


def tell(step, **values):
    print(json.dumps({"step": step, **values}, ensure_ascii=False), flush=True)


def program(*names):
    found = next(filter(None, map(shutil.which, names)), None)
    if not found:
        raise SystemExit(f"{names[0]} is missing: scripts/system-packages.sh tests installs it")
    return found


class Wire:
    """Hands connections through to the server, until it is cut."""

    def __init__(self, server):
        host, port = server.rsplit(":", 1)
        self.server = (host, int(port))
        self.links = []
        self.listener = None
        self.address = ("127.0.0.1", 0)

    def join(self):
        self.listener = socket.create_server(self.address)
        self.address = self.listener.getsockname()
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def accept(self, listener):
        while True:
            try:
                here, _ = listener.accept()
            except OSError:
                return
            there = socket.create_connection(self.server)
            self.links += [here, there]
            for a, b in ((here, there), (there, here)):
                threading.Thread(target=self.copy, args=(a, b), daemon=True).start()

    @staticmethod
    def copy(a, b):
        try:
            while data := a.recv(65536):
                b.sendall(data)
        except OSError:
            pass
        for end in (a, b):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for link in self.links:
            try:
                link.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.links.clear()


class Browser:
    def __init__(self, recording, language, folder):
        options = webdriver.ChromeOptions()
        for flag in (
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-audio-capture={recording}%noloop",
            f"--lang={language}",
            "--window-size=1440,1000",
        ):
            options.add_argument(flag)
        options.add_experimental_option("prefs", {"intl.accept_languages": language})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        # Both by name: nothing is looked for, and nothing fetched.
        options.binary_location = program("chromium", "chromium-browser", "google-chrome")
        service = webdriver.ChromeService(program("chromedriver"))
        self.driver = webdriver.Chrome(options=options, service=service)
        self.driver.set_script_timeout(60)
        saving = {"behavior": "allow", "downloadPath": str(folder)}
        self.driver.execute_cdp_cmd("Browser.setDownloadBehavior", saving)

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def js(self, script, *args):
        return self.driver.execute_script(script, *args)

    def until(self, what, script, *args, patience=PATIENCE):
        """Waits until a script gives something, and gives it back."""
        try:
            return WebDriverWait(self.driver, patience, 0.02).until(lambda _: self.js(script, *args))
        except Exception:
            print(f"waited in vain for {what}; the page says:", file=sys.stderr)
            print(self.js("return document.body.innerText.slice(0, 3000)"), file=sys.stderr)
            print(self.driver.get_log("browser"), file=sys.stderr)
            raise

    def click(self, selector):
        """Clicks once the page stands still: what is drawn is what is hit."""
        self.driver.execute_async_script(
            "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 50)))"
        )
        self.find(selector).click()

    def state(self, entity):
        return self.find(f'[data-entity="{entity}"]').get_attribute("data-state")

    def becomes(self, entity, state):
        script = "return document.querySelector(`[data-entity='${arguments[0]}']`)?.dataset.state === arguments[1]"
        return self.until(f"{entity} to be {state}", script, entity, state)

    def troubles(self):
        """What axe finds that keeps somebody out."""
        self.js(AXE)
        found = self.driver.execute_async_script(
            "const done = arguments[0]; axe.run(document, {resultTypes: ['violations']}).then(done)"
        )
        grave = [v for v in found["violations"] if v["impact"] in ("serious", "critical")]
        return [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in grave]

    def complaints(self):
        return [line["message"] for line in self.driver.get_log("browser") if line["level"] == "SEVERE"]

    def picture(self, folder, name, width=1440, height=1000):
        """Takes a picture of what fits on a screen of this size."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        time.sleep(0.5)
        tell(f"layout-{name}", overflow=self.js("return document.documentElement.scrollWidth > innerWidth"))
        if folder:
            self.driver.save_screenshot(str(pathlib.Path(folder) / f"{name}.png"))
        self.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


WORDS = """
const turn = document.querySelector('.turn .links')?.closest('.turn');
return turn && {said: turn.querySelector('.said').textContent, reply: turn.querySelector('.reply').textContent,
                partial: turn.dataset.partial ?? null}
"""


def button(browser):
    browser.click("#listen")


def space(browser):
    browser.click("h2")
    ActionChains(browser.driver).key_down(Keys.SPACE).pause(4.5).key_up(Keys.SPACE).perform()


def speak(browser, entity, state, press):
    """Presses the button or a key, lets the recording be heard, and tells what the page shows."""
    browser.until("the home", "return document.querySelector('[data-entity]') !== null")
    before = browser.state(entity)
    browser.js(
        """window.lit = false; window.partial = '';
           new MutationObserver(() => {
             window.lit ||= document.querySelector(`[data-entity='${arguments[0]}'].lit`) !== null;
             window.partial = document.querySelector('.turn')?.dataset.partial ?? window.partial;
           }).observe(document.body, {subtree: true, childList: true, attributes: true})""",
        entity,
    )
    press(browser)
    browser.becomes(entity, state)
    words = browser.until("the words", WORDS)
    browser.until("the answer's sound", "return Number(document.body.dataset.loudest) > 0.02")
    browser.until("the waterfall", "return document.querySelector('.waterfall [data-step=first_audio]') !== null")
    steps = browser.js(
        "return [...document.querySelectorAll('.waterfall [data-step]')].map(own => [own.dataset.step, Number(own.dataset.ms)])"
    )
    browser.until("the end of the turn", "return document.body.dataset.state === 'idle'")
    return {
        **words,
        "before": before,
        "lit": browser.js("return window.lit"),
        "partial": browser.js("return window.partial"),
        "loudest": browser.js("return Number(document.body.dataset.loudest)"),
        "waterfall": dict(steps),
        "wave": browser.js("return document.querySelector('.sound .wave')?.getAttribute('d').length ?? 0"),
        "decision": browser.js("return document.querySelector('.sound .decision') !== null"),
        "explained": browser.find("#explained").text,
    }


def type_command(browser, text):
    before = len(browser.all(".turn"))
    browser.find("#typed").send_keys(text, Keys.ENTER)
    browser.until(
        "the answer to what was typed",
        "return document.querySelectorAll('.turn').length > arguments[0] && document.querySelector('.turn .reply').textContent",
        before,
    )
    return browser.find(".turn .reply").text


def show_token(url, secret, folder):
    """A page that must show a token asks for it, and is let in everywhere with it."""
    browser = Browser("/dev/null", "en-US", folder)
    try:
        browser.driver.get(url)
        browser.until("the question for the token", "return document.querySelector('dialog[open] #token')")
        shut = browser.js("return document.querySelector('[data-entity]') === null")
        axe = browser.troubles()
        browser.find("#token").send_keys("wrong", Keys.ENTER)
        browser.until("the question again", "return document.querySelector('dialog[open] #token')?.value === ''")
        browser.find("#token").send_keys(secret, Keys.ENTER)
        browser.until("the home", "return document.querySelector('[data-entity]') !== null")
        reply = type_command(browser, "turn on the kitchen light")
        browser.becomes("light.kitchen", "on")
        browser.driver.get(f"{url}/health")
        browser.until("the models", "return document.querySelector('[data-model]') !== null")
        tell("token", shut=shut, axe=axe, reply=reply)
    finally:
        browser.driver.quit()


MICROPHONE = """
window.microphone = async (constraints) => {
  window.asked = constraints.audio;
  window.room = new AudioContext();
  window.air = window.room.createMediaStreamDestination();
  // A room is never quite silent.
  const hum = window.room.createBuffer(1, 48000, 48000);
  hum.getChannelData(0).forEach((_, i, all) => { all[i] = (Math.random() - 0.5) * 1e-3; });
  const source = window.room.createBufferSource();
  Object.assign(source, {buffer: hum, loop: true});
  source.connect(window.air);
  source.start();
  return window.air.stream;
};
Object.defineProperty(MediaDevices.prototype, 'getUserMedia', {value: window.microphone});
window.say = (pcm) => {
  const samples = Float32Array.from(new Int16Array(Uint8Array.from(atob(pcm), (c) => c.charCodeAt(0)).buffer), (v) => v / 32768);
  const buffer = window.room.createBuffer(1, samples.length, 16000);
  buffer.copyToChannel(samples, 0);
  const source = window.room.createBufferSource();
  source.buffer = buffer;
  source.connect(window.air);
  window.said = performance.now();
  window.quiet = null;
  const watch = setInterval(() => {
    if (document.body.dataset.state === 'speaking') return;
    window.quiet = performance.now() - window.said;
    clearInterval(watch);
  }, 5);
  source.start();
};
"""


def interrupt(url, question, command, folder):
    """Somebody asks, and speaks again into the answer. The microphone is one that the test speaks into, so that it
    speaks when the answer sounds, however long that takes."""

    def pcm(path):
        with wave.open(path, "rb") as wav:
            return base64.b64encode(wav.readframes(wav.getnframes())).decode()

    browser = Browser("/dev/null", "en-US", folder)
    try:
        browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": MICROPHONE})
        browser.driver.get(url)
        browser.until("the home", "return document.querySelector('[data-entity]') !== null")
        before = browser.state("light.kitchen")
        browser.click("#hands-free")
        browser.until("listening", "return document.body.dataset.state === 'listening'")
        browser.js("say(arguments[0])", pcm(question))
        browser.until("the answer's sound", "return document.body.dataset.state === 'speaking' && Number(document.body.dataset.loudest) > 0.02")
        browser.js("say(arguments[0])", pcm(command))
        browser.becomes("light.kitchen", "on")
        note = browser.until(
            "how much was heard",
            "return [...document.querySelectorAll('.turn .quiet')].map((own) => own.textContent).find((text) => text)",
        )
        tell("interrupted", before=before, note=note, quiet_ms=browser.js("return window.quiet"), asked=browser.js("return window.asked"))
    finally:
        browser.driver.quit()


def main():
    if sys.argv[1] == "--token":
        return show_token(*sys.argv[2:5])
    if sys.argv[1] == "--interrupt":
        return interrupt(*sys.argv[2:6])
    url, english, chinese, folder = sys.argv[1:5]
    pictures = sys.argv[5] if len(sys.argv) > 5 else None
    wire = Wire(url.removeprefix("http://"))
    wire.join()
    through = f"http://127.0.0.1:{wire.address[1]}"
    one = Browser(english, "en-US", folder)
    two = Browser(chinese, "zh-CN", folder)
    try:
        run(one, two, url, through, wire, pathlib.Path(folder), pictures)
    finally:
        one.driver.quit()
        two.driver.quit()


def run(one, two, url, through, wire, folder, pictures):
    one.driver.get(url)
    one.until("the home", "return document.querySelector('[data-entity]') !== null")
    paints, sizes = [], []
    for _ in range(5):
        one.driver.execute_cdp_cmd("Network.clearBrowserCache", {})
        one.driver.get(url)
        paints.append(one.until("a first paint", "return performance.getEntriesByName('first-contentful-paint')[0]?.startTime"))
        one.until("the home", "return document.querySelector('[data-entity]') !== null")
        files = one.js(
            "return [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')].map(own => [own.name, own.decodedBodySize])"
        )
        sizes.append(sum(size for _, size in files))
    tell(
        "open",
        first_paint_ms=sorted(paints)[2],
        bytes=max(sizes),
        strangers=[name for name, _ in files if not name.startswith(url)],
        language=one.js("return document.documentElement.lang"),
        axe=one.troubles(),
    )

    two.driver.get(through)
    tell("english", **speak(one, "light.kitchen", "on", button))
    one.picture(pictures, "page-desktop")
    one.picture(pictures, "page-phone", 390, 844)
    tell("talked", axe=one.troubles())
    two.becomes("light.kitchen", "on")
    tell("chinese", language=two.js("return document.documentElement.lang"), **speak(two, "light.office", "on", space))
    two.picture(pictures, "page-chinese")
    one.becomes("light.office", "on")
    two.click('[data-entity="light.kitchen"] [role=switch]')
    one.becomes("light.kitchen", "off")
    tell("together")

    # Locking is just done; unlocking is asked about.
    one.click('[data-entity="lock.front_door"] button[aria-label^=Lock]')
    one.becomes("lock.front_door", "locked")
    one.click('[data-entity="lock.front_door"] button[aria-label^=Unlock]')
    one.until("the question", "return document.querySelector('dialog[open]') !== null")
    tell("asked", axe=one.troubles(), state=one.state("lock.front_door"))
    one.click("dialog button[value=yes]")
    one.becomes("lock.front_door", "unlocked")
    type_command(one, "set a timer for 5 minutes")
    one.until("the timer", "return document.querySelector('.timer time')?.textContent.startsWith('4:')")
    tell("timer", text=one.find(".timer").text)

    # An answer is stopped by the button, and the page says how much of it was heard.
    one.until("silence", "return document.body.dataset.state === 'idle'")
    type_command(one, "what is the outdoor temperature")
    one.until("the button that stops", "return !document.querySelector('#stop').hidden")
    one.click("#stop")
    one.until("how much was heard", "return document.querySelector('.turn .quiet').textContent")
    tell("stopped", note=one.find(".turn .quiet").text)

    # A turn is gone through again.
    one.click(".turn:last-child .links button")
    one.click(".again summary")
    one.click(".again .bar button:nth-of-type(2)")
    heard = one.until("the words again", "return document.querySelector('.again [role=status]').textContent.match(/“(.+)”/)?.[1]")
    one.find("#silence").send_keys(Keys.HOME)
    what_if = one.until("the other silence", "return document.querySelector('.what-if')?.getAttribute('x1')")
    tell("again", heard=heard, what_if=float(what_if), state=one.state("light.kitchen"))

    # What the house does not know is taught, and known to another page.
    reply = type_command(one, "turn on the cooking sun")
    one.click(".turn .wrong")
    one.click("#wrong input[value=device]")
    name = one.find("#wrong-name").get_attribute("value")
    Select(one.find("#wrong-which")).select_by_value("light.kitchen")
    one.click("#wrong-check")
    one.until("the proposal", "return !document.querySelector('#wrong-agree').hidden")
    unlearned = one.js("return fetch('/api/lessons').then(own => own.json())")
    tell("wrong", reply=reply, name=name, before=unlearned["lessons"], axe=one.troubles(), proposal=one.find(".proposal").text)
    one.click("#wrong-agree")
    one.until("the lesson", "return document.querySelector('#wrong-agree').hidden && document.querySelector('.proposal button')")
    one.click(".proposal button")
    one.becomes("light.kitchen", "on")
    type_command(two, "turn off the cooking sun")
    one.becomes("light.kitchen", "off")
    tell("learned", lessons=one.js("return fetch('/api/lessons').then(own => own.json())")["lessons"])

    # The wire breaks and comes back.
    wire.cut()
    two.until("the loss to be told", "return !document.getElementById('line').hidden")
    told = two.find("#line").text
    wire.join()
    type_command(one, "turn on the hall light")
    two.becomes("light.hall", "on")
    tell("lost", told=told)

    one.driver.get(f"{url}/captions")
    one.find("#captions").send_keys("l")
    one.until("a caption", "return document.querySelector('#captions p:not(.quiet, .loose)')")
    tell("captions", text=one.find("#captions").text, axe=one.troubles(), live=one.find("#captions").get_attribute("aria-live"))
    one.find("#captions").send_keys("+", "v", "s")
    deadline = time.monotonic() + 10
    while not all((folder / f"captions.{kind}").exists() for kind in ("vtt", "srt")):
        if time.monotonic() > deadline:
            raise SystemExit("the captions were not saved")
        time.sleep(0.05)
    one.find("#captions").send_keys("l")
    one.picture(pictures, "captions")
    one.find("#text").send_keys("One two three.")
    one.click("#read")
    one.until("a word to be marked", "return document.querySelector('#reading mark')?.textContent")
    tell("saved", vtt=(folder / "captions.vtt").read_text(), srt=(folder / "captions.srt").read_text())

    one.driver.get(f"{url}/health")
    one.until("the models", "return document.querySelector('[data-model=whisper-base] .good') !== null")
    one.until("the times", "return document.querySelector('#times svg') !== null")
    one.until("the lessons", "return document.querySelector('#lessons li') !== null")
    one.until("the devices", "return document.querySelector('#devices').textContent")
    tell("health", facts=one.find("#facts").text, axe=one.troubles())
    one.picture(pictures, "health")
    tell("complaints", one=one.complaints(), two=[c for c in two.complaints() if "WebSocket" not in c and "ERR_" not in c])


main()
