"""The contact sheet in a real browser: press keys, and read what the page shows."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

TIMEOUT_SECONDS = 10.0
AXE_SCRIPT = Path(__file__).parents[1] / "vendor" / "axe.min.js"
RESET_SCRIPT = """async () => {
  const run = await (await fetch("/api/run")).json();
  const plain = { mark: null, stars: 0, round: 1, title: "", alt: "" };
  const rows = run.candidates.flatMap((one) => Object.entries(plain)
    .filter(([field, value]) => (one[field] ?? value) !== value)
    .map(([field, value]) => [one.number, field, value]));
  const action = crypto.randomUUID().replaceAll("-", "");
  const headers = { "Content-Type": "application/json" };
  const body = JSON.stringify({ action, view: "test", rows });
  const reset = !rows.length || (await fetch("/api/decisions", { method: "POST", headers, body })).ok;
  if (!reset) throw new Error("the previous test's decisions could not be reset");
  localStorage.clear();
  sessionStorage.clear();
  Storage.prototype.setItem = () => {};  // the sheet saves its view when the page is left
}"""


class SheetTab:
    """A browser tab that shows the contact sheet.

    Args:
        page: Playwright's page.
        server: the server of the run that it shows; None: the sheet was mailed.
    """

    def __init__(self, page: Any, server: Any) -> None:
        self.page, self.server = page, server
        self.console_messages: list[str] = []
        page.on("console", lambda message: self.console_messages.append(message.text))
        page.on("pageerror", lambda error: self.console_messages.append(str(error)))

    def open(self, url: str = "") -> SheetTab:
        """Open the sheet, with the one-time token or without."""
        self.page.goto(url or f"http://127.0.0.1:{self.server.port}/")
        return self.wait()

    def wait(self) -> SheetTab:
        """Wait until candidates, or the text for an empty sheet, are shown."""
        self.page.wait_for_selector(".cell.focused, #empty:not([hidden])")
        return self

    def reset(self) -> SheetTab:
        """Undo all decisions, clear the browser's storage, and open the sheet again."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        # Decisions of the previous test must not arrive after they were reset.
        while self.page.locator("#saved").all_text_contents() == ["saving"] and time.monotonic() < deadline:
            time.sleep(0.02)
        self.page.evaluate(RESET_SCRIPT)
        self.console_messages.clear()
        return self.open()

    def press(self, *keys: str) -> SheetTab:
        """Press keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)
        return self

    @property
    def focused_number(self) -> int:
        """The number of the focused candidate."""
        return int(self.page.text_content("#candidate .number") or 0)

    @property
    def toast(self) -> str:
        """The message that is shown for some seconds."""
        return str(self.page.text_content("#toast"))

    @property
    def save_status(self) -> str:
        """The header's text about saving."""
        return str(self.page.text_content("#saved"))

    @property
    def shown_numbers(self) -> list[int]:
        """Numbers of the candidates in the document, in the order shown."""
        numbers: list[int] = self.page.evaluate(
            "[...document.querySelectorAll('.cell:not([hidden])')]"
            ".sort((a, b) => a.ariaPosInSet - b.ariaPosInSet).map((cell) => cell.number)"
        )
        return numbers

    def with_class(self, *names: str) -> list[int]:
        """Return the candidates whose cells have these classes, in the order shown."""
        selector = "".join(f".{name}" for name in names)
        numbers: list[int] = self.page.evaluate(
            f"[...document.querySelectorAll('.cell{selector}:not([hidden])')]"
            ".sort((a, b) => a.ariaPosInSet - b.ariaPosInSet).map((cell) => cell.number)"
        )
        return numbers

    def label(self, number: int) -> str:
        """Return what a screen reader says of a candidate."""
        return str(self.page.get_attribute(f"#c{number}", "aria-label"))

    def text(self, selector: str) -> str:
        """Return the text of one element."""
        return str(self.page.text_content(selector))

    def wait_until(
        self, condition: Callable[[], bool], description: str = "", timeout_seconds: float = TIMEOUT_SECONDS
    ) -> None:
        """Wait for a condition; the page's policy forbids Playwright's way, which evaluates in the page."""
        deadline = time.monotonic() + timeout_seconds
        while not condition():
            assert time.monotonic() < deadline, (
                description or f"focus {self.focused_number}, {self.save_status!r}, {self.toast!r}"
            )
            time.sleep(0.01)

    def wait_until_saved(self) -> SheetTab:
        """Wait until the page says that everything is saved."""
        self.wait_until(lambda: self.save_status == "saved", "saved")
        return self

    def cell_boxes(self) -> dict[int, tuple[float, float, float, float]]:
        """Return x, y, width and height of each candidate's cell, in px of the window."""
        boxes: dict[str, tuple[float, float, float, float]] = self.page.evaluate(
            "Object.fromEntries([...document.querySelectorAll('.cell:not([hidden])')].map((cell) => {"
            " const { x, y, width, height } = cell.getBoundingClientRect();"
            " return [cell.number, [x, y, width, height]]; }))"
        )
        return {int(number): box for number, box in boxes.items()}

    def axe_violations(self) -> list[str]:
        """Return the accessibility violations that axe-core finds."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE_SCRIPT.read_text("utf-8"))
        violations = self.page.evaluate("axe.run(document, { resultTypes: ['violations'] })")["violations"]
        return [
            f"{violation['id']}: {node['html'][:200]} {node['failureSummary']}"
            for violation in violations
            for node in violation["nodes"]
        ]


def copy_run(run_folder: Path, parent: Path) -> Path:
    """Copy a run; return the copy's folder."""
    folder = parent / "runs" / run_folder.name
    shutil.copytree(run_folder, folder)
    return folder
