"""What a published page may load: its own site's files, and nothing else from anywhere."""

from __future__ import annotations

ADDED_SHEET = "'sha256-9xTiqzfwFaL2SGb1rmr8gysEwVVjIvqWAgmZgqFqpEE='"
"""What OpenSeadragon 6.1.1 adds to the page when it starts: no outline around its canvas on touch screens."""

# Sizes and colours of pictures are in style attributes; scripts and sheets are files.
_RULES = {
    "default-src": "'none'",
    "img-src": "'self' data:{disk}",
    "media-src": "'self'{disk}",
    "font-src": "'self'{disk}",
    "style-src": f"'self'{{disk}} {ADDED_SHEET}",
    "style-src-attr": "'unsafe-inline'",
    "script-src": "'self'{disk}",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
}


def _policy(disk: str) -> str:
    return "; ".join(f"{name} {value.format(disk=disk)}" for name, value in _RULES.items())


META = _policy(" file:")
"""For each page's head; ``'self'`` means nothing to a page opened from a disk."""


def headers() -> str:
    """``_headers``, which Netlify and Cloudflare Pages send with every file."""
    return "\n".join(
        [
            "/*",
            f"  Content-Security-Policy: {_policy('')}; frame-ancestors 'self'",
            "  X-Content-Type-Options: nosniff",
            "  Referrer-Policy: strict-origin-when-cross-origin",
            "  Permissions-Policy: camera=(), geolocation=(), microphone=()",
            "",
        ]
    )
