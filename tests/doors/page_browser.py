"""A real browser without a screen for the tests of the page, and a wire to it that can be cut."""

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
from selenium.webdriver.support.ui import WebDriverWait

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

    @property
    def url(self):
        return f"http://{self.address[0]}:{self.address[1]}"

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


# Whatever a page plays is also heard here. The page itself knows nothing of it.
EARS = """
const connect = AudioNode.prototype.connect;
window.ears = {loudest: 0, level: 0};
AudioNode.prototype.connect = function (to, ...more) {
  if (to instanceof AudioDestinationNode) {
    const analyser = this.context.createAnalyser();
    const wave = new Float32Array(analyser.fftSize);
    connect.call(this, analyser);
    setInterval(() => {
      analyser.getFloatTimeDomainData(wave);
      window.ears.level = this.context.state === 'running' ? Math.max(...wave.map(Math.abs)) : 0;
      window.ears.loudest = Math.max(window.ears.loudest, window.ears.level);
    }, 20);
  }
  return connect.call(this, to, ...more);
};
const Socket = WebSocket;
window.sockets = [];
window.WebSocket = class extends Socket {
  constructor(url, ...more) {
    super(url, ...more);
    window.sockets.push(String(url));
  }
};
"""


class Browser:
    def __init__(self, recording, language, folder, microphone=False):
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
        self.before(EARS)
        if microphone:
            self.before(MICROPHONE)
        saving = {"behavior": "allow", "downloadPath": str(folder)}
        self.driver.execute_cdp_cmd("Browser.setDownloadBehavior", saving)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.driver.quit()

    def before(self, script):
        """Runs a script in every page before the page's own."""
        self.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})

    def open(self, url):
        """Opens the page and waits for the home."""
        self.driver.get(url)
        self.until("the home", "return document.querySelector('[data-entity]') !== null")

    def say(self, path):
        """Speaks a recording into a microphone of our own."""
        with wave.open(path, "rb") as wav:
            self.js("say(arguments[0])", base64.b64encode(wav.readframes(wav.getnframes())).decode())

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

    def focus(self):
        return self.js("return document.activeElement.getAttribute('aria-label') ?? document.activeElement.id")

    def fill(self, selector, text):
        field = self.find(selector)
        field.clear()
        field.send_keys(text)

    def rests(self):
        self.until("rest", "return document.body.dataset.state === 'idle'")

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
        """Takes a picture of what fits on a screen of this size, and looks at it with axe in both lights."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        time.sleep(0.5)
        if folder:
            self.driver.save_screenshot(str(pathlib.Path(folder) / f"{name}.png"))
        axe = []
        for light in ("dark", "light"):
            features = [{"name": "prefers-color-scheme", "value": light}]
            self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
            # What fades is between two colours meanwhile.
            time.sleep(0.3)
            axe += [f"{light}: {trouble}" for trouble in self.troubles()]
        tell(f"layout-{name}", axe=axe, overflow=self.js("return document.documentElement.scrollWidth > innerWidth"))
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
        """window.lit = new Set(); window.partial = '';
           new MutationObserver(() => {
             document.querySelectorAll('.device.lit').forEach((own) => window.lit.add(own.dataset.entity));
             window.partial = document.querySelector('.turn')?.dataset.partial ?? window.partial;
           }).observe(document.body, {subtree: true, childList: true, attributes: true})"""
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
        "lit": browser.js("return [...window.lit]"),
        "partial": browser.js("return window.partial"),
        "loudest": browser.js("return Number(document.body.dataset.loudest)"),
        "waterfall": dict(steps),
        "wave": browser.js("return document.querySelector('.sound .wave')?.getAttribute('d').length ?? 0"),
        "decision": browser.js("return document.querySelector('.sound .decision') !== null"),
        "explained": browser.find("#explained").text,
        "scores": [own.text for own in browser.all("#explained .number")],
        "why": browser.find("#explained .why").text,
    }


def type_command(browser, text):
    browser.find("#typed").send_keys(text, Keys.ENTER)
    browser.until(
        f"the answer to {text!r}",
        """const turn = document.querySelector('.turn:not([data-typed])');
           if (!turn?.querySelector('.reply').textContent || turn.querySelector('.said').textContent !== arguments[0]) return false;
           turn.dataset.typed = '';
           return true""",
        text,
    )
    return browser.find(".turn .reply").text


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
