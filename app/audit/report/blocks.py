"""What a report is made of, before it is a page or a PDF."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Tone = Literal["plain", "good", "warning", "bad"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table; ``tone`` colours a word, never alone: the word says the same."""

    text: str
    tone: Tone = "plain"
    picture: bytes | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    text: str
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values, one a line; ``code`` values are hashes, to be compared letter by letter."""

    rows: tuple[tuple[str, str], ...]
    code: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Table:
    """``widths``: shares of the page's width; ``code``: columns that hold hashes."""

    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    widths: tuple[float, ...]
    code: frozenset[int] = frozenset()


Block = Text | Facts | Table


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """A whole report.

    Attributes:
        stamp, tone: the verdict in a word or two, and its colour.
        verdict: one or two sentences under it.
        made: when, as it is stored (UTC).
        figures: a few numbers to be seen first: value, and what it counts.
    """

    title: str
    stamp: str
    tone: Tone
    verdict: str
    made: str
    maker: str
    figures: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
