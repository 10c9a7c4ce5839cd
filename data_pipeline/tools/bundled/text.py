"""Text tools: counting words, naming styles, readability, extraction, masking and templates."""

import re
from collections import Counter
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

__all__ = [
    "convert_naming_style",
    "count_word_frequency",
    "extract_links_and_tags",
    "fill_message_template",
    "mask_sensitive_text",
    "measure_edit_distance",
    "score_text_readability",
]

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


class TemplateValue(TypedDict):
    """A value for one placeholder of a template."""

    name: Annotated[str, Field(description="Placeholder name, without braces")]
    value: Annotated[str, Field(description="Text to put in its place")]


def _count_syllables(word: str) -> int:
    """Count the vowel groups of an English word, without a silent final e."""
    lowered = word.lower()
    groups = len(re.findall(r"[aeiouyà-öø-ÿ]+", lowered))
    if groups > 1 and re.search(r"[^aeiouyl]e$", lowered):
        groups -= 1
    return max(1, groups)


def _levenshtein(first: str, second: str) -> int:
    """Return the Levenshtein distance, by Hyyrö's bit-parallel variant of Myers' algorithm."""
    if not first:
        return len(second)
    positions: dict[str, int] = {}
    for index, char in enumerate(first):
        positions[char] = positions.get(char, 0) | 1 << index
    mask, top = (1 << len(first)) - 1, 1 << (len(first) - 1)
    plus, minus, distance = mask, 0, len(first)
    for char in second:
        equal = positions.get(char, 0)
        vertical = equal | minus
        horizontal = (((equal & plus) + plus) ^ plus) | equal
        up = (minus | ~(horizontal | plus)) & mask
        down = plus & horizontal
        distance += bool(up & top) - bool(down & top)
        up, down = up << 1 | 1, down << 1
        plus = (down | ~(vertical | up)) & mask
        minus = up & vertical & mask
    return distance


def convert_naming_style(
    text: str, style: Literal["snake_case", "kebab-case", "camelCase", "PascalCase", "CONSTANT_CASE"]
) -> str:
    """Convert a phrase to a naming style such as snake_case or camelCase.

    Queries:
        How would {text} look in {style}?
        I need a variable name in {style} for {text}.
        Rewrite {text} as {style}.
        Our code base sticks to {style}. How do I write {text} there?

    Args:
        text: Phrase or identifier to convert
        style: Naming style of the result

    Returns:
        The phrase in the naming style.
    """
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", re.sub(r"['’]", "", text))
    words = [word.lower() for word in re.split(r"[\W_]+", spaced) if word]
    if style == "kebab-case":
        return "-".join(words)
    if style in ("snake_case", "CONSTANT_CASE"):
        joined = "_".join(words)
        return joined.upper() if style == "CONSTANT_CASE" else joined
    capitalized = [word.capitalize() for word in words]
    if style == "camelCase":
        capitalized[:1] = words[:1]
    return "".join(capitalized)


def count_word_frequency(
    text: str, top_n: Annotated[int, Field(ge=1, le=1000)] = 10, ignore_case: bool = True
) -> dict[str, int]:
    """Count how often each word occurs in a text.

    Queries:
        Which words come up most[ (top {top_n})] in this text[?ignore_case:, whether capitalized or not]: {text}
        I repeat myself when I write. Count how often I use each word[?ignore_case:, ignoring capitals,] in this: {text}
        List the[ top {top_n}] words of the following by how often they occur: {text}
        What are the[ top {top_n}] word counts[?ignore_case:, treating upper and lower case alike,] in this text: {text}

    Args:
        text: Text to count the words of
        top_n: Number of most frequent words to return
        ignore_case: Whether upper and lower case count as the same word

    Returns:
        The most frequent words with their counts, highest count first, ties in alphabetical order.
    """
    counts = Counter(_WORD.findall(text.lower() if ignore_case else text))
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:top_n])


def extract_links_and_tags(text: str) -> dict[str, list[str]]:
    """Extract the email addresses, web links, hashtags and mentions from a text.

    Queries:
        Which links, email addresses, hashtags and mentions are in this: {text}
        I got a rambling message and want every address, link and tag that's in it: {text}
        Pull all web links, emails, mentions and hashtags out of the following: {text}
        Anything to click, email or tag in here? {text}

    Args:
        text: Text to search, such as a message or a post

    Returns:
        The lists found, each in order of appearance and without repeats.
    """
    links = [link.rstrip(".,;:!?)\"'") for link in re.findall(r"https?://[^\s<>]+|\bwww\.[^\s<>]+", text)]
    rest = re.sub(r"https?://[^\s<>]+|\bwww\.[^\s<>]+", " ", text)
    found = {
        "emails": re.findall(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+", rest),
        "links": links,
        "hashtags": re.findall(r"(?<!\w)#\w+", rest),
        "mentions": re.findall(r"(?<![\w.+-])@\w+", rest),
    }
    return {kind: list(dict.fromkeys(values)) for kind, values in found.items()}


def fill_message_template(template: str, values: list[TemplateValue]) -> dict[str, str | list[str]]:
    """Fill the {placeholders} of a message template with given values.

    Queries:
        How does {template} read once these go in: {values}
        I'm sending the same note to lots of people. Complete {template} with: {values}
        Fill in the blanks of {template} using: {values}
        I have a form letter that says {template} and need it finished with these details: {values}

    Args:
        template: Message with placeholders in braces, such as {name}
        values: Value for each placeholder

    Returns:
        The message, and the placeholders no value was given for (left as they are).
    """
    known = {item["name"].strip("{}"): item["value"] for item in values}
    unfilled = [name for name in re.findall(r"\{(\w+)\}", template) if name not in known]
    message = re.sub(r"\{(\w+)\}", lambda match: known.get(match[1], match[0]), template)
    return {"message": message, "unfilled": list(dict.fromkeys(unfilled))}


def mask_sensitive_text(
    text: str,
    visible_characters: Annotated[int, Field(ge=0, le=20)] = 4,
    mask_character: Literal["*", "#", "x", "•"] = "*",
) -> str:
    """Mask all but the last characters of a secret such as a card number.

    Queries:
        Can you hide {text}[ except for the last {visible_characters}]?
        I have to post {text} in a chat. Blank it out[ with {mask_character}][, but for the last {visible_characters}].
        Mask {text}[ using {mask_character}][, keeping the last {visible_characters}].
        Nobody should see {text} in full. What does it look like with the front part covered up?

    Args:
        text: Secret to mask; spaces and punctuation are kept
        visible_characters: Number of letters and digits to leave visible at the end
        mask_character: Character to show in place of a hidden one

    Returns:
        The masked text; a secret no longer than the visible part is hidden completely.

    Raises:
        ValueError: If the visible number is negative.
    """
    if visible_characters < 0:
        raise ValueError("visible_characters must not be negative.")
    total = sum(char.isalnum() for char in text)
    hidden = total if total <= visible_characters else total - visible_characters
    masked = []
    for char in text:
        masked.append(mask_character if char.isalnum() and hidden > 0 else char)
        hidden -= char.isalnum()
    return "".join(masked)


def measure_edit_distance(first_text: str, second_text: str, ignore_case: bool = False) -> dict[str, float]:
    """Measure how many single-character edits turn one text into another.

    Queries:
        How many edits does it take to get from {first_text} to {second_text}[?ignore_case: if capitals don't matter]?
        I typed {first_text} but meant {second_text}. How many characters off was I?
        Compare {first_text} with {second_text} and tell me the edit distance[?ignore_case:, ignoring capitals].
        To arrive at {second_text} from {first_text}, how many letters have to change[?ignore_case:, treating upper and lower case as the same]?

    Args:
        first_text: Text to start from
        second_text: Text to arrive at
        ignore_case: Whether upper and lower case letters are the same

    Returns:
        The Levenshtein distance and the similarity in percent of the longer length.

    Raises:
        ValueError: If a text has more than 2000 characters.
    """
    if max(len(first_text), len(second_text)) > 2000:
        raise ValueError("Each text must have at most 2000 characters.")
    if ignore_case:
        first_text, second_text = first_text.lower(), second_text.lower()
    distance = _levenshtein(first_text, second_text)
    longest = max(len(first_text), len(second_text), 1)
    return {"distance": distance, "similarity_percent": round(100 * (1 - distance / longest), 1)}


def score_text_readability(text: str) -> dict[str, float]:
    """Score how easy an English text is to read with the Flesch formulas.

    Queries:
        How easy is this to read: {text}
        I'm writing for schoolchildren. Which grade level does this have: {text}
        Give me the Flesch scores of the following: {text}
        Would ordinary readers struggle with this passage? {text}

    Args:
        text: English text of at least one word

    Returns:
        The Flesch reading ease, the Flesch-Kincaid school grade, and the counts behind them.

    Raises:
        ValueError: If the text has no word.
    """
    words = _WORD.findall(text)
    if not words:
        raise ValueError("The text must have at least one word.")
    sentences = max(1, sum(1 for part in re.split(r"[.!?…]+(?:\s|$)", text) if _WORD.search(part)))
    syllables = sum(_count_syllables(word) for word in words)
    per_sentence, per_word = len(words) / sentences, syllables / len(words)
    return {
        "reading_ease": round(206.835 - 1.015 * per_sentence - 84.6 * per_word, 1),
        "school_grade": round(0.39 * per_sentence + 11.8 * per_word - 15.59, 1),
        "words": len(words),
        "sentences": sentences,
        "syllables": syllables,
    }
