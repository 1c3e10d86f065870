"""Fill the reference parts of the pages in docs/ from the code: ``make docs``; ``--check`` only compares."""

import re
import subprocess
import sys
from pathlib import Path

import commands
import settings
import shipped

MADE = {"commands": commands.page, "shipped models": shipped.page, "gallery settings": settings.page}
NAMES = "|".join(MADE)
MARKED = re.compile(rf"<!-- (?P<what>artgen [^>]*?|{NAMES}) -->\n(?P<old>.*?)<!-- end -->", re.DOTALL)


def fill(found: re.Match[str]) -> str:
    """Fill a marked part with the output of its command, or with the reference of that name."""
    what = found["what"]
    return f"<!-- {what} -->\n{MADE[what]() if what in MADE else printed(what)}\n<!-- end -->"


def printed(command: str) -> str:
    """Return the output of a command ``artgen ...``."""
    call = [sys.executable, "-m", *command.split()]
    return subprocess.run(call, check=True, capture_output=True, text=True, encoding="utf-8").stdout.strip()


def main() -> int:
    """Return 1 when a page was not current and ``--check`` was asked for."""
    stale = []
    for page in sorted(Path(__file__).parent.rglob("*.md")):
        text = page.read_text("utf-8")
        new = MARKED.sub(fill, text)
        if new != text:
            stale.append(page.name)
            if "--check" not in sys.argv:
                page.write_text(new, "utf-8")
    print("not current:" if stale else "current", *stale)
    return int(bool(stale) and "--check" in sys.argv)


if __name__ == "__main__":
    sys.exit(main())
