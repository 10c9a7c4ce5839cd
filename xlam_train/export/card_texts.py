"""The fixed texts of a model card."""

from __future__ import annotations

SERVING = """\
Transformers:

```python
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("@MODEL@")
model = AutoModelForCausalLM.from_pretrained("@MODEL@", dtype="auto")
tools = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Get the current weather for a location.",
            "parameters": {
                "type": "object",
                "properties": {"location": {"type": "string", "description": "The city."}},
                "required": ["location"],
            },
        },
    }
]
messages = [{"role": "user", "content": "What is the weather in Paris?"}]
prompt = tokenizer.apply_chat_template(
    messages, tools=tools, add_generation_prompt=True, return_tensors="pt", return_dict=True
)
answer = model.generate(**prompt, max_new_tokens=512, do_sample=False)
print(tokenizer.decode(answer[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True))
```

llama.cpp; the template goes into the GGUF file, `--jinja` makes the server use it, and
`--skip-chat-parsing` leaves answers as they are for the client to read:

```sh
xlam export gguf @MODEL@ model-q8_0.gguf --type q8_0
llama-server -m model-q8_0.gguf --jinja --skip-chat-parsing --port 8000
```

vLLM, with the plugin that turns answers into `tool_calls`:

```sh
vllm serve @MODEL@ --enable-auto-tool-choice \\
    --tool-parser-plugin xlam_train.infer.vllm_tool_parser --tool-call-parser xlam_train
```

Any of these from Python, with `tool_calls` in the answer and, with `constrained=True`, valid calls only; `@MODEL@` may
be this folder, a `.gguf` file, `http://127.0.0.1:8000/v1` or `vllm:@MODEL@`:

```python
from xlam_train.infer.handler import ChatHandler
from xlam_train.infer.opening import open_backend

with open_backend("@MODEL@") as backend:
    print(ChatHandler(backend, "@VARIANT@").chat(messages, tools))
```
"""

INTENDED = """\
To choose among tools that the caller offers, and to fill in their arguments from the conversation; an empty list where
no tool fits or a required value is missing. The caller executes the calls, and checks them first: a model's call is a
proposal, not a permission.
"""

LIMITS = """\
- Other prompts than the one above give worse answers; use the chat template of this folder.
- Arguments may be wrong or made up although they fit the schema. Constrained decoding makes calls valid, not right.
- What a tool returns, or a user pastes, may contain instructions; the model does not tell them from the user's.
- Quantized files differ from these weights; `xlam smoke FILE --against FOLDER` says by how much.
- Tools, languages and styles unlike the training data were not measured unless the results say so.
"""
