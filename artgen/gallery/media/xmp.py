"""XMP packets: the metadata in every published file, as JPEG, AVIF, WebP and PNG can all hold it.

Properties are those of the IPTC Photo Metadata Standard 2023.1: search engines read creator, rights and
DigitalSourceType, screen readers of some viewers the alternative text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xml.etree import ElementTree

GENERATED_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
_XML_NAMESPACES = {
    "x": "adobe:ns:meta/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
}
_LANGUAGE_ATTRIBUTE = "{http://www.w3.org/XML/1998/namespace}lang"
_ALLOWED_CONTROL_CHARACTERS = "\t\n\r"


@dataclass(frozen=True)
class EmbeddedMetadata:
    """Texts of the XMP packet in a published file; empty ones are left out.

    Attributes:
        title: of the piece.
        alt: alternative text.
        creator: the artist.
        rights: a copyright notice or licence, in words.
        source_type: IPTC DigitalSourceType; empty for a picture that no model made.
        tool: the software.
    """

    title: str = ""
    alt: str = ""
    creator: str = ""
    rights: str = ""
    source_type: str = ""
    tool: str = ""


def build_xmp_packet(metadata: EmbeddedMetadata) -> bytes:
    """Build an XMP packet in UTF-8; markup in the texts is escaped."""
    from xml.etree import ElementTree

    for prefix, address in _XML_NAMESPACES.items():
        ElementTree.register_namespace(prefix, address)
    root = ElementTree.Element(_expand_name("x:xmpmeta"))
    rdf = ElementTree.SubElement(root, _expand_name("rdf:RDF"))
    description = ElementTree.SubElement(
        rdf, _expand_name("rdf:Description"), {_expand_name("rdf:about"): ""}
    )
    _add_localised_text(description, "dc:title", metadata.title)
    _add_localised_text(description, "dc:description", metadata.alt)
    _add_localised_text(description, "Iptc4xmpCore:AltTextAccessibility", metadata.alt)
    _add_localised_text(description, "dc:rights", metadata.rights)
    if metadata.creator:
        creator = ElementTree.SubElement(description, _expand_name("dc:creator"))
        creators = ElementTree.SubElement(creator, _expand_name("rdf:Seq"))
        item = ElementTree.SubElement(creators, _expand_name("rdf:li"))
        item.text = remove_invalid_xml_characters(metadata.creator)
    for name, text in (
        ("Iptc4xmpExt:DigitalSourceType", metadata.source_type),
        ("xmp:CreatorTool", metadata.tool),
    ):
        if text:
            element = ElementTree.SubElement(description, _expand_name(name))
            element.text = remove_invalid_xml_characters(text)
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>{body}<?xpacket end="w"?>'.encode()


def _add_localised_text(description: ElementTree.Element, name: str, text: str) -> None:
    """Add a property that XMP stores as a list of languages, with ``text`` as the default one."""
    from xml.etree import ElementTree

    if text:
        prop = ElementTree.SubElement(description, _expand_name(name))
        languages = ElementTree.SubElement(prop, _expand_name("rdf:Alt"))
        item = ElementTree.SubElement(languages, _expand_name("rdf:li"), {_LANGUAGE_ATTRIBUTE: "x-default"})
        item.text = remove_invalid_xml_characters(text)


def _expand_name(prefixed_name: str) -> str:
    """Replace an XMP property's prefix by its namespace: ``dc:title`` gives ``{http://...}title``."""
    prefix, _, name = prefixed_name.partition(":")
    return f"{{{_XML_NAMESPACES[prefix]}}}{name}"


def remove_invalid_xml_characters(text: str) -> str:
    """Remove the few characters that XML cannot contain, escaped or not."""
    return "".join(
        character
        for character in text
        if (character >= " " or character in _ALLOWED_CONTROL_CHARACTERS)
        and not 0xD800 <= ord(character) < 0xE000
        and character not in "\ufffe\uffff"
    )
