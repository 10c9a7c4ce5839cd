"""The fixed texts of the prompt variants, to the byte: a trained model expects trailing spaces and all.

`xlam-1` and `xlam-1-history`: model cards of Salesforce/xLAM-7b-fc-r and xLAM-1b-fc-r (July 2024). `xlam-1-bfcl`: the
handler of the Berkeley leaderboard of July 2024. `actionstudio`: the format instructions that ActionStudio's converter
(Zhang et al. 2025) puts behind the task.
"""

from __future__ import annotations

TASK_INSTRUCTION = (
    "You are an expert in composing functions. You are given a question and a set of possible functions. \n"
    "Based on the question, you will need to make one or more function/tool calls to achieve the purpose. \n"
    "If none of the functions can be used, point it out and refuse to answer. \n"
    "If the given question lacks the parameters required by the function, also point it out."
)

FORMAT_INSTRUCTION = (
    "The output MUST strictly adhere to the following JSON format, and NO other text MUST be included.\n"
    "The example format is as follows. Please make sure the parameter type is correct. "
    "If no function call is needed, please make tool_calls an empty list '[]'.\n"
    "```\n"
    "{\n"
    '    "tool_calls": [\n'
    '    {"name": "func_name1", "arguments": {"argument1": "value1", "argument2": "value2"}},\n'
    "    ... (more tool calls as required)\n"
    "    ]\n"
    "}\n"
    "```"
)

BFCL_SYSTEM = (
    "You are an AI assistant for function calling. \n"
    "For politically sensitive questions, security and privacy issues, \n"
    "and other non-computer science questions, you will refuse to answer"
)

BFCL_TASK_INSTRUCTION = TASK_INSTRUCTION.replace("none of the functions", "none of the function")

BFCL_FORMAT_INSTRUCTION = (
    "\n"
    "The output MUST strictly adhere to the following JSON format, and NO other text MUST be included.\n"
    "The example format is as follows. Please make sure the parameter type is correct. "
    "If no function call is needed, please make tool_calls an empty list '[]'\n"
    "```\n"
    "{\n"
    '  "tool_calls": [\n'
    '    {"name": "func_name1", "arguments": {"argument1": "value1", "argument2": "value2"}},\n'
    "    ... (more tool calls as required)\n"
    "  ]\n"
    "}\n"
    "```"
    "\n"
)

MISTRAL_PREFIX = "[TOOL_CALLS]"
"""What Mistral's instruct models write before calls."""


def actionstudio_format(mistral: bool) -> str:
    """The format instruction of `actionstudio`; Mistral's models are told of their prefix."""
    after, prefix = (f" after {MISTRAL_PREFIX}", MISTRAL_PREFIX) if mistral else ("", "")
    return (
        "You are an assistant that can use tools. When making one or more tool calls, format them in a single JSON "
        f"list{after}, where each object represents a tool call. Do not output separate objects or multiple arrays. "
        "Use the following structure:\n\n"
        "```\n"
        f'{prefix}[{{"name": "tool_call_name", "arguments": {{"arg1": "value1", "arg2": "value2"}}}}, '
        "... (additional parallel tool calls as needed)]\n"
        "```\n\n"
        "Do not provide any interpretation or response until the tool call results are returned, which you can then "
        "process for the user or proceed to use other tools.\n\n"
        "If no tool call is necessary (e.g., need for clarification, general advice/explanations, casual "
        "conversation, or task completed), respond with plain text."
    )
