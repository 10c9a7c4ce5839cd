from __future__ import annotations

import pytest

from data_pipeline.tools.bundled import text as tools


def _distance_by_table(first: str, second: str) -> int:
    """The textbook dynamic programme, to check the bit-parallel one against."""
    row = list(range(len(second) + 1))
    for i, a in enumerate(first, 1):
        previous, row[0] = row[0], i
        for j, b in enumerate(second, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
    return row[-1]


def test_count_word_frequency() -> None:
    text = "The cat saw the dog; THE dog didn't see."
    assert list(tools.count_word_frequency(text, top_n=3).items()) == [("the", 3), ("dog", 2), ("cat", 1)]
    assert tools.count_word_frequency(text, ignore_case=False)["The"] == 1
    assert tools.count_word_frequency("didn't didn't") == {"didn't": 2}
    assert tools.count_word_frequency("") == {}


@pytest.mark.parametrize(
    ("text", "style", "expected"),
    [
        ("Total order amount", "snake_case", "total_order_amount"),
        ("totalOrderAmount", "kebab-case", "total-order-amount"),
        ("user_home  address", "camelCase", "userHomeAddress"),
        ("don't stop", "PascalCase", "DontStop"),
        ("parseHTTPResponse", "CONSTANT_CASE", "PARSE_HTTP_RESPONSE"),
        ("?!", "camelCase", ""),
    ],
)
def test_convert_naming_style(text: str, style: str, expected: str) -> None:
    assert tools.convert_naming_style(text, style) == expected  # type: ignore[arg-type]


def test_score_text_readability() -> None:
    # 6 words, 2 sentences, 7 syllables (wa-ter): 206.835 - 1.015*3 - 84.6*7/6 = 105.09;
    # 0.39*3 + 11.8*7/6 - 15.59 = -0.65.
    scored = tools.score_text_readability("The dog drinks water. Cats sleep!")
    assert (scored["words"], scored["sentences"], scored["syllables"]) == (6, 2, 7)
    assert scored["reading_ease"] == pytest.approx(105.1)
    assert scored["school_grade"] == pytest.approx(-0.65, abs=0.051)
    # Silent e does not count, the e of "table" and of "the" does: take-the-ta-ble.
    assert tools.score_text_readability("take the table")["syllables"] == 4
    with pytest.raises(ValueError, match="at least one word"):
        tools.score_text_readability(" ... ")


def test_extract_links_and_tags() -> None:
    text = "Ask @ada or mail bob.lee@example.co.uk: https://example.org/a?b=1#top, #sale #sale"
    text += " (www.shop.example)."
    assert tools.extract_links_and_tags(text) == {
        "emails": ["bob.lee@example.co.uk"],
        "links": ["https://example.org/a?b=1#top", "www.shop.example"],
        "hashtags": ["#sale"],
        "mentions": ["@ada"],
    }


def test_mask_sensitive_text() -> None:
    assert tools.mask_sensitive_text("4111 1111 1111 1234") == "**** **** **** 1234"
    assert tools.mask_sensitive_text("AB-12", visible_characters=1, mask_character="#") == "##-#2"
    assert tools.mask_sensitive_text("1234") == "****"
    assert tools.mask_sensitive_text("secret", visible_characters=0) == "******"
    with pytest.raises(ValueError, match="not be negative"):
        tools.mask_sensitive_text("secret", visible_characters=-1)


def test_measure_edit_distance() -> None:
    assert tools.measure_edit_distance("kitten", "sitting") == {"distance": 3, "similarity_percent": 57.1}
    assert tools.measure_edit_distance("Same", "sAME", ignore_case=True)["distance"] == 0
    assert tools.measure_edit_distance("", "")["similarity_percent"] == 100
    with pytest.raises(ValueError, match="2000 characters"):
        tools.measure_edit_distance("a" * 2001, "b")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("", "abc"),
        ("abc", ""),
        ("intention", "execution"),
        ("aaaa", "aa"),
        ("abcabcabc", "cabcab"),
        ("x" * 80, "xy" * 50),
    ],
)
def test_edit_distance_agrees_with_the_textbook(first: str, second: str) -> None:
    assert tools.measure_edit_distance(first, second)["distance"] == _distance_by_table(first, second)


def test_fill_message_template() -> None:
    filled = tools.fill_message_template(
        "Dear {name}, {item} ships {day}. Bye {name}, see you {day}.",
        [{"name": "name", "value": r"Ann \1"}, {"name": "{item}", "value": "the {day} lamp"}],
    )
    assert filled == {
        "message": r"Dear Ann \1, the {day} lamp ships {day}. Bye Ann \1, see you {day}.",
        "unfilled": ["day"],
    }
