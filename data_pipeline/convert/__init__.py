"""Other people's datasets, read and written: one module a format.

    xlam_60k           rows of xlam-function-calling-60k: {"id", "query", "answers", "tools"}
    openai_messages    {"messages": [...], "tools": [...]}, as for fine-tuning at OpenAI
    dataset            this project's folders and shards

A module has `read`, one record to a sample, and `write`, one sample to a record. `formats` goes through files.
What cannot be read is a `BadLine` with a reason code, never a crash, and the lines around it are read.
"""
