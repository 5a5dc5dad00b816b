"""Reads a page with the standard library's parser: what it shows and what it refers to."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass, field
from html.parser import HTMLParser
from xml.etree import ElementTree

from PIL import Image

_VOID = {"meta", "link", "img", "br", "source"}


@dataclass
class PageReader(HTMLParser):
    """Collects elements; complains about tags that are not closed in order."""

    images: list[dict[str, str]] = field(default_factory=list)
    references: list[str] = field(default_factory=list)
    sections: dict[str, str] = field(default_factory=dict)
    tags: set[str] = field(default_factory=set)
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[str] = []
        self._section = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.tags.add(tag)
        assert not any(name.startswith("on") for name in found), found
        self.references += [found[name] for name in ("src", "href", "action") if name in found]
        if tag == "img":
            self.images.append(found)
        if tag == "section":
            self._section = found["id"]
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, f"</{tag}> closes something else"
        if tag in ("td", "th", "div", "p", "li", "h3"):
            self._write(" ")

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "style":
            return
        self._write(data)

    def _write(self, data: str) -> None:
        self.text += data
        if self._section:
            self.sections[self._section] = self.sections.get(self._section, "") + data


def read_page(text: str) -> PageReader:
    reader = PageReader()
    reader.feed(text)
    reader.close()
    assert not reader._open, f"never closed: {reader._open}"
    return reader


def image_size(source: str) -> tuple[int, int]:
    """Decode a data URI; fails on anything that is not a whole picture."""
    kind, _, payload = source.partition(";base64,")
    content = base64.b64decode(payload, validate=True)
    if kind == "data:image/svg+xml":
        root = ElementTree.fromstring(content.decode("utf-8"))
        size = [float(root.attrib[name].removesuffix("pt")) for name in ("width", "height")]
        return round(size[0]), round(size[1])
    assert kind in ("data:image/png", "data:image/jpeg"), kind
    picture = Image.open(io.BytesIO(content))
    picture.load()
    return picture.size
