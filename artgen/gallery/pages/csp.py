"""Content-Security-Policy of published pages: they load only files of their own site."""

from __future__ import annotations

OPENSEADRAGON_STYLE_HASH = "'sha256-9xTiqzfwFaL2SGb1rmr8gysEwVVjIvqWAgmZgqFqpEE='"
"""Hash of the style that OpenSeadragon 6.1.1 adds: no outline around its canvas on touch screens."""

# Sizes and colours of pictures are in style attributes; scripts and sheets are files.
_CONTENT_SECURITY_RULES = {
    "default-src": "'none'",
    "img-src": "'self' data:{disk}",
    "media-src": "'self'{disk}",
    "font-src": "'self'{disk}",
    "style-src": f"'self'{{disk}} {OPENSEADRAGON_STYLE_HASH}",
    "style-src-attr": "'unsafe-inline'",
    "script-src": "'self'{disk}",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
}


def _build_policy(disk: str) -> str:
    return "; ".join(f"{name} {value.format(disk=disk)}" for name, value in _CONTENT_SECURITY_RULES.items())


META_CONTENT_SECURITY_POLICY = _build_policy(" file:")
"""Policy in each page's head; it allows ``file:`` because ``'self'`` matches nothing on a disk."""


def build_headers_file() -> str:
    """Return the text of ``_headers``, the HTTP headers that Netlify and Cloudflare Pages send."""
    return "\n".join(
        [
            "/*",
            f"  Content-Security-Policy: {_build_policy('')}; frame-ancestors 'self'",
            "  X-Content-Type-Options: nosniff",
            "  Referrer-Policy: strict-origin-when-cross-origin",
            "  Permissions-Policy: camera=(), geolocation=(), microphone=()",
            "",
        ]
    )
