"""What every published file says about itself: XMP, the one form that JPEG, AVIF, WebP and PNG all carry.

Properties are those of the IPTC Photo Metadata Standard 2023.1: search engines read creator, rights and
DigitalSourceType, screen readers of some viewers the alt text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xml.etree import ElementTree

GENERATED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
_SPACES = {
    "x": "adobe:ns:meta/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
}
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_CONTROLS = "\t\n\r"


@dataclass(frozen=True)
class Words:
    """What is said in a file; empty words are left out.

    Args:
        title: of the piece.
        alt: the text for who does not see it.
        creator: the artist.
        rights: a copyright notice or licence, in words.
        source_type: IPTC DigitalSourceType; empty for what no model made.
        tool: the software.
    """

    title: str = ""
    alt: str = ""
    creator: str = ""
    rights: str = ""
    source_type: str = ""
    tool: str = ""


def packet(words: Words) -> bytes:
    """The words as an XMP packet in UTF-8. Every text is data: markup in it stays text."""
    from xml.etree import ElementTree

    for prefix, address in _SPACES.items():
        ElementTree.register_namespace(prefix, address)
    root = ElementTree.Element(_name("x:xmpmeta"))
    rdf = ElementTree.SubElement(root, _name("rdf:RDF"))
    about = ElementTree.SubElement(rdf, _name("rdf:Description"), {_name("rdf:about"): ""})
    _localised(about, "dc:title", words.title)
    _localised(about, "dc:description", words.alt)
    _localised(about, "Iptc4xmpCore:AltTextAccessibility", words.alt)
    _localised(about, "dc:rights", words.rights)
    if words.creator:
        ordered = ElementTree.SubElement(ElementTree.SubElement(about, _name("dc:creator")), _name("rdf:Seq"))
        ElementTree.SubElement(ordered, _name("rdf:li")).text = sound(words.creator)
    for name, text in (("Iptc4xmpExt:DigitalSourceType", words.source_type), ("xmp:CreatorTool", words.tool)):
        if text:
            ElementTree.SubElement(about, _name(name)).text = sound(text)
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>{body}<?xpacket end="w"?>'.encode()


def _localised(about: ElementTree.Element, name: str, text: str) -> None:
    from xml.etree import ElementTree

    if text:
        choices = ElementTree.SubElement(ElementTree.SubElement(about, _name(name)), _name("rdf:Alt"))
        ElementTree.SubElement(choices, _name("rdf:li"), {_LANGUAGE: "x-default"}).text = sound(text)


def _name(short: str) -> str:
    prefix, _, name = short.partition(":")
    return f"{{{_SPACES[prefix]}}}{name}"


def sound(text: str) -> str:
    """A text without the few characters that no XML may hold, escaped or not."""
    return "".join(
        letter
        for letter in text
        if (letter >= " " or letter in _CONTROLS)
        and not 0xD800 <= ord(letter) < 0xE000
        and letter not in "\ufffe\uffff"
    )
