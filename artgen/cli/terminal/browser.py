"""Open the browser for the commands that serve pages, ``artgen curate`` and ``artgen preview``."""

from __future__ import annotations

import threading
import webbrowser

import typer


def open_browser(url: str) -> None:
    """Open the address of a server that is about to answer, without waiting for the browser."""

    def open_url() -> None:
        if not webbrowser.open(url):
            typer.echo("No browser could be opened: open that address yourself.", err=True)

    threading.Thread(target=open_url, daemon=True).start()
