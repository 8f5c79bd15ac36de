"""Chromium, driven from tests: pages opened from a file or from this machine, with the network cut."""

import re
import shutil
from contextlib import contextmanager

import pytest

from helpers.fresh import quick


@contextmanager
def chromium():
    """The browser. A test that needs it is skipped where it, or what drives it, is absent."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright to drive a browser")
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
MORE = ", ".join(f"{each}:nth-child(n + 7)" for each in ("tr", "option", "li", ".tokens > *"))
"""What is like others before it."""
AXE = """([like, options]) => {
  for (const each of document.querySelectorAll(like)) each.remove();
  return axe.run(options).then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes.map(({ target }) => target)]));
}"""
GO = """place => new Promise((done) => {
  const before = location.hash;
  const frames = () => requestAnimationFrame(() => requestAnimationFrame(done));
  location.hash = encodeURIComponent(place);
  if (location.hash === before) frames();
  else addEventListener("hashchange", frames, { once: true });
})"""
"""Goes to a place, and waits until it has been drawn."""
BETWEEN = """([role, name]) => {
  const here = document.activeElement;
  const isBehind = (each) => here === document.body || here.compareDocumentPosition(each) & Node.DOCUMENT_POSITION_FOLLOWING;
  const stops = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")];
  const seen = stops.filter((each) => each !== here && each.offsetParent);
  const whole = new RegExp(`^(?:${name})$`, "s");
  const isMeant = (each) => each.tagName === role && whole.test(each.ariaLabel || each.innerText);
  const [after, before] = [seen.filter(isBehind), seen.filter((each) => !isBehind(each)).reverse()];
  const next = after.findIndex(isMeant);
  return next < 0 ? -1 - before.findIndex(isMeant) : next;
}"""
"""How many things the tab key seems to pass on its way to the first of a role and name; on the way back: -1, -2, …"""


class Open:
    """A page in a browser, and everything that it has asked for or complained of."""

    def __init__(self, browser, path, width=1280, height=800, color_scheme="light"):
        """path: a file, which is opened without a network, or the address of a server on this machine.

        All are in one context, where a page that was closed goes on: a context of its own starts programs of its own.
        """
        self.context = browser.contexts[0] if browser.contexts else browser.new_context()
        self.context.set_default_timeout(15_000)
        idle = [page for page in self.context.pages if page.url == "about:blank"]
        self.page = idle[0] if idle else self.context.new_page()
        if self.page.viewport_size != {"width": width, "height": height}:
            self.page.set_viewport_size({"width": width, "height": height})
        self.page.emulate_media(media="null", color_scheme=color_scheme)
        self.said, self.asked = [], []
        self.hears = {
            "console": lambda message: self.said.append(message.text),
            "pageerror": lambda error: self.said.append(str(error)),
            "request": lambda request: self.asked.append(request.url),
        }
        for event, note in self.hears.items():
            self.page.on(event, note)
        offline = not isinstance(path, str)
        self.context.set_offline(offline)
        self.page.goto(path.as_uri() if offline else path)

    def close(self):
        """Forgets the page."""
        for event, note in self.hears.items():
            self.page.remove_listener(event, note)
        self.page.goto("about:blank")

    def ready(self):
        self.page.wait_for_selector("header nav")
        return self

    def go(self, place):
        self.page.evaluate(GO, place)

    def run(self, text):
        """Has the model read a text."""
        self.go("sentence")
        self.page.fill("textarea", text)
        self.page.get_by_role("button", name="Run the model").click()
        self.page.wait_for_selector(".tokens")

    @property
    def text(self):
        return self.page.inner_text("body")

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def follow(self):
        """Opens the link that has the keyboard."""
        before = self.page.evaluate("() => location.hash")
        self.press("Enter")
        self.page.wait_for_function("before => location.hash !== before", arg=before)
        self.page.evaluate(FRAMES)

    def tab_to(self, role, name):
        """Goes from one thing to the next, or back, by the tab key until the one of this role and name has the keyboard."""
        # A guess, which saves questions: where the keyboard is, the tab key shows.
        between = self.page.evaluate(BETWEEN, [role, name])
        if between < 0:
            self.page.keyboard.down("Shift")
            between = -1 - between
        for step in range(400):
            if step < between:
                self.page.keyboard.down("Tab")  # and is held
                continue
            self.page.keyboard.press("Tab")
            here = self.page.evaluate(
                "() => [document.activeElement.tagName, document.activeElement.ariaLabel || document.activeElement.innerText]"
            )
            if here[0] == role and re.fullmatch(name, here[1] or "", re.DOTALL):
                self.page.keyboard.up("Shift")
                return
        raise AssertionError(f"no {role} {name!r} can be reached")

    def findings(self, *rules):
        """What axe-core finds wrong where the page is now, by all its rules or by some: the rules and the elements.

        Of rows and options that are alike, quick runs look at the first ones: the others are gone until the view is drawn again.
        """
        base = pytest.importorskip("axe_playwright_python.base", reason="needs axe-playwright-python")
        options = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
        if self.page.evaluate("() => 'axe' in window"):
            options["preload"] = False  # of the style sheets: all views have the same ones
        else:
            self.page.evaluate(f"{base.AXE_SCRIPT}; axe.configure({{ noHtml: true }})")
        return self.page.evaluate(AXE, [MORE if quick() else "_", options])
