"""Pictures of the Dagster UI for the documents, taken from the instance that `make run` has filled.

python docs/screenshots.py [--port N]

Starts `dagster-webserver` on the instance in DAGSTER_HOME (data/dagster by default), opens its pages in headless Chromium, writes docs/pictures/*.png
and stops the server. It needs Chromium with chromedriver, and `pip install selenium pillow`.
"""

import argparse
import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from PIL import Image
from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException, TimeoutException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
MODEL = "fraud_detection"
GROUPS = ("ingestion", "validation", "features", "training", "evaluation", "registry")
ASSETS = ("raw_data", "validated_data", "quarantined_data", "features", "trained_model", "evaluation", "model_registry_entry")
SERVER_SECONDS, PAGE_SECONDS = 120, 30
WIDTH, HEIGHT = 1600, 1000
# Two pictures of the evaluation, one below the other.
DIALOGS_HEIGHT = 1150
# Everything of an asset's page, without scrolling.
TALL = 2600
CHROMIUM_FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update "
    "--disable-sync --hide-scrollbars"
)
# Inset of the pictures from what they show.
MARGIN = 16


class Browser:
    """A page of the UI, and what the pictures need to find, click and cut out of it."""

    def __init__(self, driver: webdriver.Chrome, address: str):
        self.driver, self.address = driver, address

    def open(self, path: str, width: int = WIDTH, height: int = HEIGHT) -> None:
        """Load a page of the UI in a window of that size, in pixels."""
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
        self.driver.get(self.address + path)

    def wait(self, xpath: str) -> WebElement:
        """The last visible element that matches, as soon as there is one.

        Raises:
            TimeoutException: when there is none after PAGE_SECONDS; it names the expression.
        """

        def visible(driver: webdriver.Chrome) -> WebElement | Literal[False]:
            found = [element for element in driver.find_elements(By.XPATH, xpath) if element.is_displayed()]
            return found[-1] if found else False

        waiting = WebDriverWait(self.driver, PAGE_SECONDS, 0.2, [NoSuchElementException, StaleElementReferenceException])
        return waiting.until(visible, f"nothing on {self.driver.current_url} matches {xpath}")

    def wait_until_gone(self, xpath: str) -> None:
        """Wait until nothing matches.

        Raises:
            TimeoutException: when something still does after PAGE_SECONDS.
        """
        WebDriverWait(self.driver, PAGE_SECONDS, 0.2).until(lambda driver: not driver.find_elements(By.XPATH, xpath), f"{xpath} does not go away")

    def click(self, xpath: str) -> None:
        """Click an element once it is there, wherever it is on the page."""
        self.driver.execute_script("arguments[0].click()", self.wait(xpath))

    def show_at_top(self, element: WebElement) -> None:
        """Scroll so that the element is the first of its panel."""
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'start'})", element)

    def settle(self) -> None:
        """Wait until two pictures in a row are the same: spinners, fonts and charts have no element to wait for.

        Raises:
            TimeoutException: when the page still changes after PAGE_SECONDS.
        """
        before, until = b"", time.monotonic() + PAGE_SECONDS
        while time.monotonic() < until:
            now = self.driver.get_screenshot_as_png()
            if now == before:
                return
            before = now
            time.sleep(0.7)
        raise TimeoutException(f"{self.driver.current_url} does not come to rest")

    def picture(self, box: tuple[float, float, float, float] | None = None) -> Image.Image:
        """The window, or the part of it between left, top, right and bottom in pixels, once it is at rest."""
        self.settle()
        whole = Image.open(io.BytesIO(self.driver.get_screenshot_as_png())).convert("RGB")
        return whole.crop((max(0, int(box[0])), max(0, int(box[1])), min(whole.width, int(box[2])), min(whole.height, int(box[3])))) if box else whole


def graph(browser: Browser) -> Image.Image:
    """The seven assets of the model in their groups."""
    browser.open(f"/asset-groups?expanded={','.join(f'global@global:{group}' for group in GROUPS)}", width=3200)
    for asset in ASSETS:
        browser.wait(f"//*[contains(text(), '{asset[:10]}')]")
    browser.settle()
    boxes = browser.driver.execute_script(
        "const nodes = [...document.querySelectorAll('foreignObject')].map(node => node.getBoundingClientRect());"
        "return nodes.map(box => [box.left, box.top, box.right, box.bottom])"
    )
    left, top, right, bottom = ([box[side] for box in boxes] for side in range(4))
    return browser.picture((min(left) - MARGIN, min(top) - MARGIN, max(right) + MARGIN, max(bottom) + MARGIN))


def evaluation(browser: Browser) -> Image.Image:
    """The metrics of the evaluation, and beside them two of its pictures as a click on `Show Markdown` shows them."""
    browser.open(f"/assets/{MODEL}/evaluation", height=DIALOGS_HEIGHT)
    browser.show_at_top(browser.wait("//*[text()='Metadata']"))
    first, _, _, _ = _box(browser.wait("//tr[.//*[text()='fingerprint']]"))
    _, _, last, _ = _box(browser.wait("//button[.='Plots']"))
    left = browser.picture((first - MARGIN, 0, last + MARGIN, DIALOGS_HEIGHT))
    dialogs = []
    for name in ("roc_curve", "precision_recall"):
        browser.click(f"//tr[.//*[text()='{name}']]//*[text()='[Show Markdown]']")
        browser.wait("//img[starts-with(@src, 'data:image/png')]")
        browser.settle()
        dialogs.append(browser.picture(_box(browser.wait("//*[contains(@class, 'dagster-dialog')]"))))
        browser.click("//button[.='Close']")
        browser.wait_until_gone("//*[contains(@class, 'dagster-dialog')]")
    return _beside(left, dialogs)


def row_counts(browser: Browser) -> Image.Image:
    """Row counts and seconds of the features over their days.

    Raises:
        SystemExit: when there is nothing to plot.
    """
    browser.open(f"/assets/{MODEL}/features", height=TALL)
    browser.click("//button[.='Plots']")
    # The empty state shows for a moment before the plots do.
    browser.settle()
    nothing = "Asset plots are automatically generated by metadata"
    if browser.wait(f"//*[text()='dagster/partition_row_count' or text()='{nothing}']").text == nothing:
        sys.exit("row_counts.png: the UI plots the newest 100 calendar days only, whatever source.end says, and none of them has been made")
    left, top, _, _ = _box(browser.wait("//*[text()='Metadata']"))
    _, _, right, _ = _box(browser.wait("//button[.='Plots']"))
    _, _, _, bottom = _box(browser.wait("//*[starts-with(text(), 'When graphing values by partition')]"))
    return browser.picture((left - 3 * MARGIN, top - MARGIN, right + MARGIN, bottom + MARGIN))


def checks(browser: Browser) -> Image.Image:
    """The check that every day was accepted, with its faults."""
    browser.open(f"/assets/{MODEL}/validated_data?view=checks")
    browser.wait("//*[text()='faults']")
    return browser.picture()


def columns(browser: Browser) -> Image.Image:
    """The columns of the features."""
    browser.open(f"/assets/{MODEL}/features")
    browser.wait("//*[text()='amount_log1p']")
    return browser.picture()


def _box(element: WebElement) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of an element in the window, in pixels."""
    left, top, right, bottom = element.parent.execute_script(
        "const box = arguments[0].getBoundingClientRect(); return [box.left, box.top, box.right, box.bottom]", element
    )
    return left, top, right, bottom


def _beside(left: Image.Image, right: Sequence[Image.Image]) -> Image.Image:
    """One picture at the left, the others below each other at the right."""
    width = max(part.width for part in right)
    whole = Image.new("RGB", (left.width + width + MARGIN, max(left.height, sum(part.height for part in right) + MARGIN * (len(right) - 1))), "white")
    whole.paste(left, (0, 0))
    top = 0
    for part in right:
        whole.paste(part, (left.width + MARGIN, top))
        top += part.height + MARGIN
    return whole


@contextmanager
def webserver(port: int) -> Iterator[str]:
    """The address of a webserver on the instance, stopped at the end.

    Raises:
        SystemExit: when the server ends or does not answer within SERVER_SECONDS.
    """
    home = os.environ.get("DAGSTER_HOME", str(ROOT / "data" / "dagster"))
    command = [str(Path(sys.executable).parent / "dagster-webserver"), "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "DAGSTER_HOME": home}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address, until = f"http://127.0.0.1:{port}", time.monotonic() + SERVER_SECONDS
    try:
        while True:
            if server.poll() is not None:
                sys.exit(f"{' '.join(command)} ended with status {server.returncode}")
            try:
                with urllib.request.urlopen(f"{address}/server_info", timeout=5):
                    break
            except (urllib.error.URLError, OSError):
                if time.monotonic() > until:
                    sys.exit(f"{address} does not answer after {SERVER_SECONDS} s")
                time.sleep(0.3)
        yield address
    finally:
        server.terminate()
        server.wait(30)


@contextmanager
def chromium(address: str) -> Iterator[Browser]:
    """A browser without history, closed at the end.

    Raises:
        SystemExit: when Chromium or its driver is not installed.
    """
    binary, driver = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
    if not binary or not driver:
        sys.exit("Chromium and chromedriver must be installed")
    with tempfile.TemporaryDirectory() as profile:
        options = Options()
        options.binary_location = binary
        for flag in [*CHROMIUM_FLAGS.split(), f"--user-data-dir={profile}"]:
            options.add_argument(flag)
        browser = webdriver.Chrome(options=options, service=Service(driver))
        try:
            yield Browser(browser, address)
        finally:
            browser.quit()


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def main() -> None:
    """Take all pictures."""
    arguments = argparse.ArgumentParser(description="Pictures of the Dagster UI for the documents.")
    arguments.add_argument("--port", type=int, default=None, help="port of the webserver; a free one by default")
    PICTURES.mkdir(exist_ok=True)
    with webserver(arguments.parse_args().port or free_port()) as address, chromium(address) as browser:
        for take in (graph, evaluation, checks, columns, row_counts):
            path = PICTURES / f"{take.__name__}.png"
            # A palette takes a quarter of the bytes; maximum coverage keeps the rare colours of icons and marks.
            take(browser).quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(path, optimize=True)
            sys.stdout.write(f"{path.relative_to(ROOT)}  {path.stat().st_size / 1000:.0f} kB\n")


if __name__ == "__main__":
    main()
