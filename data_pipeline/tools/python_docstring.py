"""What is said of a function in words: its docstring, in any of four styles, and notes in its annotations."""

from __future__ import annotations

import re
import typing
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docstring_parser import Docstring


_QUERIES = re.compile(r"^Queries:[ \t]*\n((?:[ \t]+\S.*(?:\n|$)|[ \t]*\n)*)", re.MULTILINE)


def split_queries(text: str) -> tuple[str, list[str]]:
    """A docstring without its section `Queries:`, and the example queries there, one a line."""
    found = _QUERIES.search(text)
    if found is None:
        return text, []
    queries = [line.strip() for line in found[1].splitlines() if line.strip()]
    return text[: found.start()] + text[found.end() :], queries


def read_docstring(text: str) -> tuple[str, dict[str, str]]:
    """The description in one line, and a description for each documented parameter.

    Args:
        text: in Google, NumPy, Sphinx or Epydoc style.
    """
    parsed = _parse(text)
    words = {}
    for entry in parsed.params:
        # NumPy style describes several at once: "x, y : float".
        for name in entry.arg_name.split(","):
            words[name.strip().lstrip("*")] = one_line(entry.description or "")
    return one_line(f"{parsed.short_description or ''} {parsed.long_description or ''}"), words


def words_in_annotation(hint: Any) -> str:
    """What `Annotated[str, "words"]` or `Annotated[str, Doc("words")]` says, or ''."""
    notes = typing.get_args(hint)[1:] if typing.get_origin(hint) is typing.Annotated else ()
    found = (note if isinstance(note, str) else getattr(note, "documentation", None) for note in notes)
    return one_line(next((text for text in found if isinstance(text, str)), ""))


def one_line(text: str) -> str:
    """The text without line breaks and with single spaces."""
    return " ".join(text.split())


def _parse(text: str) -> Docstring:
    # Imported here because it is needed only when functions are read, and is slow to import.
    from docstring_parser import ParseError, google, parse

    parsed = parse(text)
    title = google.GoogleParser().titles_re.search(text)
    if parsed.params or title is None:
        return parsed
    # One entry without a colon, mostly under Raises, makes it give up all sections and read them as prose.
    sections = [
        section if section.key == "param" else section._replace(type=google.SectionType.SINGULAR)
        for section in google.DEFAULT_SECTIONS
    ]
    try:
        return google.GoogleParser(sections).parse(text)
    except ParseError:
        return parse(text[: title.start()])
