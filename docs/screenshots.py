"""Screenshots of the Dagster UI for the documentation, taken from the instance that `ml-assets run` has filled.

python docs/screenshots.py [FOLDER]

Starts `dagster-webserver` on the instance in DAGSTER_HOME (data/dagster by default), opens its pages in headless
Chromium, writes the pictures into a folder (docs/images by default) and stops the server. It needs Chromium with
chromedriver, and `pip install selenium pillow`.
"""

import io
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from PIL import Image
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, TimeoutException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
MODEL = "fraud_detection"
GROUPS = (MODEL,)
SERVER_SECONDS, PAGE_SECONDS = 120, 30
CHROMIUM_FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-sync"
    " --hide-scrollbars"
)
# Pixels kept around the elements of a screenshot.
MARGIN = 12


class Browser:
    """A browser window on the UI, with the actions that the screenshots need: open, wait, click and crop."""

    def __init__(self, driver: webdriver.Chrome, address: str):
        self.driver, self.address = driver, address

    def open(self, path: str, width: int = 1600, height: int = 1000) -> None:
        """Load a page of the UI in a window of that size, in pixels."""
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
        )
        self.driver.get(self.address + path)

    def wait(self, xpath: str) -> WebElement:
        """Return the last visible element that matches, as soon as there is one.

        Raises:
            TimeoutException: if there is none after PAGE_SECONDS; the message names the expression.
        """

        def visible(driver: webdriver.Chrome) -> WebElement | Literal[False]:
            elements = [element for element in driver.find_elements(By.XPATH, xpath) if element.is_displayed()]
            return elements[-1] if elements else False

        waiting = WebDriverWait(self.driver, PAGE_SECONDS, 0.2, [StaleElementReferenceException])
        return waiting.until(visible, f"nothing on {self.driver.current_url} matches {xpath}")

    def click(self, xpath: str) -> None:
        """Click an element as soon as it exists, even outside of the visible part of the page."""
        self.driver.execute_script("arguments[0].click()", self.wait(xpath))

    def settle(self) -> Image.Image:
        """Return the window once two screenshots in a row are equal.

        Spinners, fonts and charts have no element to wait for.

        Raises:
            TimeoutException: if the page still changes after PAGE_SECONDS.
        """
        before, until = b"", time.monotonic() + PAGE_SECONDS
        while time.monotonic() < until:
            now = self.driver.get_screenshot_as_png()
            if now == before:
                return Image.open(io.BytesIO(now)).convert("RGB")
            before = now
            time.sleep(0.7)
        raise TimeoutException(f"{self.driver.current_url} still changes after {PAGE_SECONDS} s")

    def span(self, *elements: WebElement) -> Image.Image:
        """Crop the window to the elements and everything between them, with a margin."""
        window = self.settle()
        boxes = [element.rect for element in elements]
        left, top = (min(box[side] for box in boxes) - MARGIN for side in ("x", "y"))
        right, bottom = (
            max(box[side] + box[size] for box in boxes) + MARGIN for side, size in (("x", "width"), ("y", "height"))
        )
        return window.crop(
            (max(0, int(left)), max(0, int(top)), min(window.width, int(right)), min(window.height, int(bottom)))
        )


def graph(browser: Browser) -> Image.Image:
    """Show the assets of the model in their groups, in a window wide enough for the state of each."""
    browser.open(f"/asset-groups?expanded={','.join(f'global@global:{group}' for group in GROUPS)}", width=3200)
    browser.wait("//*[text()[contains(., 'filled')]]")
    browser.settle()
    return browser.span(*browser.driver.find_elements(By.TAG_NAME, "foreignObject"))


def evaluation(browser: Browser) -> Image.Image:
    """Show the metrics of the evaluation beside its first three plots, opened with a click on `Show Markdown`."""
    browser.open(f"/assets/{MODEL}/evaluation", width=2070, height=1308)
    browser.click("//tr[.//*[text()='plots']]//*[text()='[Show Markdown]']")
    browser.wait("//*[contains(@class, 'dagster-dialog')]//img[starts-with(@src, 'data:image/')]")
    # The dialog opens in the middle of the page and darkens it. In the corner it leaves the metrics visible.
    style = ".dagster-dialog {margin: -40px -40px 0 auto !important} .bp5-overlay-backdrop {display: none}"
    browser.driver.execute_script(
        "document.head.appendChild(document.createElement('style')).textContent = arguments[0]", style
    )
    # The path of the page of the day is another one on each machine.
    browser.driver.execute_script("arguments[0].remove()", browser.wait("//tr[.//*[text()='report']]"))
    return browser.span(browser.wait("//*[text()='Assets']"), browser.wait("//*[contains(@class, 'dagster-dialog')]"))


def checks(browser: Browser) -> Image.Image:
    """Show the check `every_day_accepted`, with the counts of violations."""
    browser.open(f"/assets/{MODEL}/validated_data?view=checks&checkDetail=every_day_accepted")
    browser.wait("//*[text()='faults']")
    return browser.settle()


def columns(browser: Browser) -> Image.Image:
    """Show the columns of the validated data with the constraints of the contract, and the automation of the asset."""
    browser.open(f"/assets/{MODEL}/validated_data")
    browser.wait("//*[text()='non-nullable']")
    return browser.settle()


def row_counts(browser: Browser) -> Image.Image:
    """Show row counts and seconds of the validated data by day; the UI plots the newest 100 calendar days only."""
    # High enough that nothing needs scrolling.
    browser.open(f"/assets/{MODEL}/validated_data", height=2600)
    browser.click("//button[.='Plots']")
    below = browser.wait("//*[starts-with(text(), 'When graphing values by partition')]")
    return browser.span(browser.wait("//button[.='Partitions']"), browser.wait("//button[.='Plots']"), below)


@contextmanager
def webserver() -> Iterator[str]:
    """Run a webserver on the instance and yield its address; it is stopped at the end.

    Raises:
        SystemExit: if the server exits or does not answer within SERVER_SECONDS.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address, until = f"http://127.0.0.1:{port}", time.monotonic() + SERVER_SECONDS
    command = [
        str(Path(sys.executable).parent / "dagster-webserver"),
        "-w",
        "workspace.yaml",
        "-h",
        "127.0.0.1",
        "-p",
        str(port),
    ]
    environment = {"DAGSTER_HOME": str(ROOT / "data" / "dagster"), **os.environ}
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            if server.poll() is not None:
                sys.exit(f"{' '.join(command)} ended with status {server.returncode}")
            try:
                urllib.request.urlopen(f"{address}/server_info", timeout=5).close()
                break
            except OSError:
                if time.monotonic() > until:
                    sys.exit(f"{address} does not answer after {SERVER_SECONDS} s")
                time.sleep(0.3)
        yield address
    finally:
        server.terminate()
        server.wait(30)


@contextmanager
def chromium(address: str) -> Iterator[Browser]:
    """Yield a headless browser with a fresh profile; it is closed at the end.

    Raises:
        SystemExit: if Chromium or its driver is not installed.
    """
    binary, driver = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
    if not binary or not driver:
        sys.exit("Chromium and chromedriver must be installed")
    options = Options()
    options.binary_location = binary
    for flag in CHROMIUM_FLAGS.split():
        options.add_argument(flag)
    browser = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield Browser(browser, address)
    finally:
        browser.quit()


def main(folder: Path = IMAGES) -> None:
    """Take all screenshots into a folder."""
    folder.mkdir(exist_ok=True)
    with webserver() as address, chromium(address) as browser:
        for take in (graph, evaluation, checks, columns, row_counts):
            path = folder / f"{take.__name__}.png"
            # A palette takes a quarter of the bytes; maximum coverage keeps the rare colours of icons.
            take(browser).quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(path, optimize=True)
            sys.stdout.write(f"{path}  {path.stat().st_size / 1000:.0f} kB\n")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
