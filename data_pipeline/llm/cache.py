"""Answers on disk, so that a killed job that goes on asks nothing twice."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from data_pipeline.core.jsonl import PARTIAL, explain_os_error
from data_pipeline.llm.chat import ChatAnswer
from data_pipeline.llm.failures import ANSWERED

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from data_pipeline.llm.chat import ChatModel, ChatRequest


class ResponseCache:
    """A folder of answers, each under the SHA-256 of all that was asked.

    Several processes may share it, on any file system with atomic rename. An entry that is torn or was
    altered fails its checksum and counts as not there.
    """

    def __init__(self, folder: Path) -> None:
        """Nothing is read or made yet."""
        self._folder = folder

    @staticmethod
    def key(identity: Sequence[str | int], request: ChatRequest) -> str:
        """What the answer to `request` by the model of this identity is kept under."""
        return _sha256(_canonical([list(identity), asdict(request)]))

    def get(self, key: str) -> ChatAnswer | None:
        """The answer kept under a key, or None."""
        try:
            entry = json.loads(self._path(key).read_bytes())
            if entry["sha256"] == _sha256(_canonical([key, entry["answer"]])):
                return ChatAnswer(**entry["answer"])
        except (OSError, ValueError, KeyError, TypeError):
            pass  # not there, or not whole
        return None

    def put(self, key: str, answer: ChatAnswer) -> None:
        """Keep an answer; a kill at any moment leaves it whole or not there.

        Raises:
            InputError: no space left, or the folder cannot be written.
        """
        path = self._path(key)
        entry = {"sha256": _sha256(_canonical([key, asdict(answer)])), "answer": asdict(answer)}
        # Without fsync, which would cost more than many a request: a power cut may tear an entry, the checksum tells.
        partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}{PARTIAL}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(_canonical(entry))
            partial.replace(path)
        except OSError as error:
            raise explain_os_error(error, path) from error
        finally:
            with suppress(OSError):  # there is no such folder, perhaps
                partial.unlink()

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.json"


class CachedModel:
    """A model that is asked only what it was not asked before."""

    def __init__(self, model: ChatModel, identity: Sequence[str | int], cache: ResponseCache) -> None:
        """Nothing is asked yet.

        Args:
            model: who answers.
            identity: what tells its answers from those of other models.
            cache: where they are kept.
        """
        self.name = model.name
        self.max_tokens = model.max_tokens
        self._model = model
        self._identity = identity
        self._cache = cache

    async def ask(self, request: ChatRequest) -> ChatAnswer:
        """See `ChatModel.ask`; an answer from the cache reports the tokens and the cost it had."""
        key = self._cache.key(self._identity, request)
        # In a thread: the folder may be on storage across a network.
        found = await asyncio.to_thread(self._cache.get, key)
        if found is not None:
            return found
        answer = await self._model.ask(request)
        if answer.failure in ANSWERED:
            await asyncio.to_thread(self._cache.put, key, answer)
        return answer

    async def close(self) -> None:
        """See `ChatModel.close`."""
        await self._model.close()


def _canonical(value: Any) -> bytes:
    # The order of keys stays: in a schema it is the order in which the model writes.
    return json.dumps(value, separators=(",", ":")).encode()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
