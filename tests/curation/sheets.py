"""The contact sheet in a real browser, as an artist has it: keys go in, what is shown comes out."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PATIENCE = 10.0
AXE = Path(__file__).parents[1] / "vendor" / "axe.min.js"
RESET = """async () => {
  const run = await (await fetch("/api/run")).json();
  const plain = { mark: null, stars: 0, round: 1, title: "", alt: "" };
  const rows = run.candidates.flatMap((one) => Object.entries(plain)
    .filter(([field, value]) => (one[field] ?? value) !== value)
    .map(([field, value]) => [one.number, field, value]));
  const action = crypto.randomUUID().replaceAll("-", "");
  const headers = { "Content-Type": "application/json" };
  const body = JSON.stringify({ action, view: "test", rows });
  const reset = !rows.length || (await fetch("/api/decisions", { method: "POST", headers, body })).ok;
  if (!reset) throw new Error("the test before is not taken back");
  localStorage.clear();
  sessionStorage.clear();
  Storage.prototype.setItem = () => {};  // the sheet writes where it was as it goes
}"""


class Sheet:
    """One tab.

    Args:
        page: Playwright's.
        served: the server of the run that it shows; None: there is none, it was mailed.
    """

    def __init__(self, page: Any, served: Any) -> None:
        self.page, self.served = page, served
        self.complaints: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, url: str = "") -> Sheet:
        """Open it, with the one-time token or without."""
        self.page.goto(url or f"http://127.0.0.1:{self.served.port}/")
        return self.wait()

    def wait(self) -> Sheet:
        """Wait for the first picture's frame."""
        self.page.wait_for_selector(".cell.focused, #empty:not([hidden])")
        return self

    def reset(self) -> Sheet:
        """As nobody has decided anything, and this browser remembers nothing."""
        end = time.monotonic() + PATIENCE
        # What the test before decided is not to arrive after it was taken back.
        while self.page.locator("#saved").all_text_contents() == ["saving"] and time.monotonic() < end:
            time.sleep(0.02)
        self.page.evaluate(RESET)
        self.complaints.clear()
        return self.open()

    def press(self, *keys: str) -> Sheet:
        """One key after the other."""
        for key in keys:
            self.page.keyboard.press(key)
        return self

    @property
    def focus(self) -> int:
        """The number of the focused candidate."""
        return int(self.page.text_content("#candidate .number") or 0)

    @property
    def toast(self) -> str:
        """The message that is shown for some seconds."""
        return str(self.page.text_content("#toast"))

    @property
    def saved(self) -> str:
        """What the header says about saving."""
        return str(self.page.text_content("#saved"))

    @property
    def numbers(self) -> list[int]:
        """The candidates in the document, in the order shown."""
        found: list[int] = self.page.evaluate(
            "[...document.querySelectorAll('.cell:not([hidden])')]"
            ".sort((a, b) => a.ariaPosInSet - b.ariaPosInSet).map((cell) => cell.number)"
        )
        return found

    def with_class(self, *names: str) -> list[int]:
        """The candidates that look so, in the order shown."""
        cells = "".join(f".{name}" for name in names)
        found: list[int] = self.page.evaluate(
            f"[...document.querySelectorAll('.cell{cells}:not([hidden])')]"
            ".sort((a, b) => a.ariaPosInSet - b.ariaPosInSet).map((cell) => cell.number)"
        )
        return found

    def words(self, number: int) -> str:
        """What a screen reader says of a candidate."""
        return str(self.page.get_attribute(f"#c{number}", "aria-label"))

    def text(self, selector: str) -> str:
        """Of one element."""
        return str(self.page.text_content(selector))

    def until(self, true: Callable[[], bool], what: str = "", patience: float = PATIENCE) -> None:
        """Wait for it; the page's policy forbids Playwright's way, which evaluates in the page."""
        end = time.monotonic() + patience
        while not true():
            assert time.monotonic() < end, what or f"focus {self.focus}, {self.saved!r}, {self.toast!r}"
            time.sleep(0.01)

    def until_saved(self) -> Sheet:
        """Wait until the page says that all is on disk."""
        self.until(lambda: self.saved == "saved", "saved")
        return self

    def boxes(self) -> dict[int, tuple[float, float, float, float]]:
        """Where each candidate in the document is, in px of the window."""
        found: dict[str, tuple[float, float, float, float]] = self.page.evaluate(
            "Object.fromEntries([...document.querySelectorAll('.cell:not([hidden])')].map((cell) => {"
            " const { x, y, width, height } = cell.getBoundingClientRect();"
            " return [cell.number, [x, y, width, height]]; }))"
        )
        return {int(number): box for number, box in found.items()}

    def violations(self) -> list[str]:
        """What axe-core finds."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE.read_text("utf-8"))
        found = self.page.evaluate("axe.run(document, { resultTypes: ['violations'] })")["violations"]
        return [
            f"{one['id']}: {node['html'][:200]} {node['failureSummary']}"
            for one in found
            for node in one["nodes"]
        ]


def copied(made: Path, place: Path) -> Path:
    """A run's folder of one's own."""
    folder = place / "runs" / made.name
    shutil.copytree(made, folder)
    return folder
