"""Texts that tokenizers tend to disagree on."""

HARD_TEXTS = [
    "Book 2 tables for 2026-11-22 at 19:30, budget 1234567.89!",
    '[{"name": "get_weather", "arguments": {"city": "Zürich", "days": 10}}]',
    "naïve façade 東京で3日間 🙂🦙 нещо на Български ~~~ \t\t tabs\n\n\n  newlines 'll 'RE we'Ve",
    "a  12\n\n    7,   3.14   x  5",
    "def f(x):\n    return x**2  # 100%\n",
    " leading and trailing ",
    "e\u0301 \u200d zero-width \ufeff mark, ﬁ ligature, Ⅷ roman, ½ half, عربي, हिन्दी, ไทย, 👩‍👩‍👧",
    "   \n\t \n",
]
