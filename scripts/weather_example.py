"""The example of the xLAM model cards, for the test_*.py beside this file: two tools and a query for one call."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from data_pipeline.core.errors import CheckFailed
from xlam_train.infer.backends import Backend
from xlam_train.infer.handler import ChatHandler

WEATHER = {
    "name": "get_weather",
    "description": "Tell the current weather at a place",
    "parameters": {
        "type": "object",
        "properties": {
            "location": {"type": "string", "description": "City, such as New York"},
            "unit": {"type": "string", "enum": ["celsius", "fahrenheit"], "description": "Unit of the temperature"},
        },
        "required": ["location"],
    },
}
SEARCH = {
    "name": "search",
    "description": "Look something up on the internet",
    "parameters": {
        "type": "object",
        "properties": {"query": {"type": "string", "description": "What to look for, such as 'latest news on AI'"}},
        "required": ["query"],
    },
}
QUERY = "What's the weather like in New York in fahrenheit?"


def ask(open_model: Callable[[], Backend], **sampling: Any) -> None:
    """Print the prompt where the backend shows it, and the answer as a message of OpenAI's API.

    Args:
        open_model: makes the backend.
        sampling: of `ChatHandler.chat`.

    Raises:
        InputError: there is no such model, or its server cannot be used.
        CheckFailed: the answer is not in the prompt format, or is cut off.
    """
    messages, tools = [{"role": "user", "content": QUERY}], [WEATHER, SEARCH]
    with open_model() as backend:
        handler = ChatHandler(backend)
        prompt = backend.prompt_text(handler.prompt(messages, tools))
        print(f"prompt:\n{prompt}\n" if prompt else "prompt: the server does not show it\n")
        choice = handler.chat(messages, tools, **sampling)["choices"][0]
    print(f"answer:\n{json.dumps(choice['message'], indent=2)}\n\nfinish_reason: {choice['finish_reason']}")
    if choice["format_error"]:
        raise CheckFailed(
            f"the answer is not in the prompt format ({choice['format_error']}); is this a model trained by xlam train?"
        )
