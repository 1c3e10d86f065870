"""Live reload: the script that ``artgen preview`` adds to pages, so that they reload with the site."""

from __future__ import annotations

import html
import re

PREVIEW_URL_PATH = "/.artgen-preview/"
RELOAD_SCRIPT = f"""\
// Only in artgen preview: the page loads again when the site has changed.
(() => {{
  let seen, stream;
  const listen = () => {{
    stream?.close();
    stream = null;
    if (document.hidden) return;  // a browser keeps few connections: one for each page would use them up
    stream = new EventSource("{PREVIEW_URL_PATH}changes");
    stream.onmessage = (event) => {{
      seen ??= event.data;
      if (event.data !== seen) location.reload();
    }};
  }};
  document.addEventListener("visibilitychange", listen);
  listen();
}})();
"""
_RELOAD_SCRIPT_TAG = f'<script src="{PREVIEW_URL_PATH}reload.js"></script>\n'
_POLICY_TAG_PATTERN = re.compile(
    r"""(<meta\s+http-equiv=["']?Content-Security-Policy["']?\s+content=)(["'])(.*?)\2""",
    re.IGNORECASE | re.DOTALL,
)


def add_reload_script(page: str) -> str:
    """Return a page's HTML with the live reload script, and with its policy let the script work."""
    page = _POLICY_TAG_PATTERN.sub(
        lambda found: f"{found[1]}{found[2]}{_allow_reload_script(found[3])}{found[2]}", page, count=1
    )
    before, end, after = page.rpartition("</body>")
    return f"{before}{_RELOAD_SCRIPT_TAG}{end}{after}" if end else page + _RELOAD_SCRIPT_TAG


def _allow_reload_script(policy: str) -> str:
    """Return a policy, as an attribute's value, that allows scripts and events of the page's own server."""
    rule_words = [rule.split() for rule in html.unescape(policy).split(";") if rule.strip()]
    rules = {name: values for name, *values in rule_words}
    for name in ("script-src", "connect-src"):
        values = [value for value in rules.get(name, []) if value != "'none'"]
        rules[name] = values if "'self'" in values else ["'self'", *values]
    return html.escape("; ".join(" ".join([name, *values]) for name, values in rules.items()))
