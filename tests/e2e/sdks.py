"""The SDKs of OpenAI and Groq, unmodified, with and without asyncio, as clients of a stack."""

import asyncio
import gc
import uuid
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from types import ModuleType
from typing import Any

SDKS = ("openai", "openai-async", "groq", "groq-async")
PREFIXES = {"openai": "/v1", "groq": ""}
"""What a `base_url` ends with. Groq's SDK adds `/openai/v1` itself."""

CLIENTS = {"openai": "OpenAI", "groq": "Groq"}
MODEL = "groq/openai/gpt-oss-20b"
SEES = "groq/qwen/qwen3.8-27b"
"""A model that looks at pictures."""

Use = Callable[[Any], Any]
"""What is done with a client; one for asyncio makes a coroutine of it."""


class Sdk:
    """A client of an SDK. `name`: one of SDKS. `url`: the API's address. It repeats nothing, unless told so.

    `module` has the classes of its errors. It is imported late: that takes as long as all the rest of a test's start.
    """

    def __init__(self, name: str, url: str) -> None:
        vendor, _, mode = name.partition("-")
        self.module: ModuleType = import_module(vendor)
        self.is_async = mode == "async"
        self._runner = asyncio.Runner() if self.is_async else None
        make = getattr(self.module, f"Async{CLIENTS[vendor]}" if self.is_async else CLIENTS[vendor])
        self._client = make(base_url=f"{url}{PREFIXES[vendor]}", api_key="none", max_retries=0)

    def close(self) -> None:
        """Close the connections."""
        if self._runner is None:
            self._client.close()
        else:
            self._runner.run(self._client.close())
            self._runner.close()

    def use(self, use: Use, **options: Any) -> Any:
        """Do something with the client. `options`: which it has for this time."""
        return self.use_at_once(use, 1, **options)[0]

    def use_at_once(self, use: Use, count: int, **options: Any) -> list[Any]:
        """Do something with the client this many times at once: in coroutines, else in threads."""
        client = self._client.with_options(**options)
        if self._runner is not None:
            return self._runner.run(_gathered([use(client) for _ in range(count)]))
        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(lambda _: use(client), range(count)))

    def ask(self, question: dict[str, Any], **options: Any) -> Any:
        """Return the completion that answers a question."""
        return self.use(lambda client: client.chat.completions.create(**question), **options)

    def hear(self, question: dict[str, Any], chunks: list[Any], at_most: int | None = None) -> Any:
        """Add the chunks of the stream that answers a question to a list; leave it after so many of them.

        Return the error with which the stream ends, None without one.
        """
        found = None
        try:
            self.use(self._listener(question, chunks, at_most))
        except self.module.APIError as error:
            found = error.with_traceback(None)
        # A stream that was not heard to its end is a cycle of objects, which should not outlive its client.
        gc.collect()
        return found

    def hear_at_once(self, question: dict[str, Any], count: int) -> list[list[Any]]:
        """Return the chunks of the streams that answer a question to so many listeners."""
        return self.use_at_once(self._listener(question), count)

    def _listener(self, question: dict[str, Any], into: list[Any] | None = None, at_most: int | None = None) -> Use:
        def listen(client: Any) -> list[Any]:
            chunks = [] if into is None else into
            with client.chat.completions.create(**question, stream=True) as stream:
                for chunk in stream:
                    chunks.append(chunk)
                    if len(chunks) == at_most:
                        break
            return chunks

        async def listen_async(client: Any) -> list[Any]:
            chunks = [] if into is None else into
            async with await client.chat.completions.create(**question, stream=True) as stream:
                async for chunk in stream:
                    chunks.append(chunk)
                    if len(chunks) == at_most:
                        break
            return chunks

        return listen_async if self.is_async else listen

    def refused(self, question: dict[str, Any], **options: Any) -> Exception:
        """Return the error that a question ends with."""
        try:
            answer = self.ask(question, **options)
        except self.module.APIError as error:
            found: Exception = error
            return found
        message = f"no error, but {answer}"
        raise AssertionError(message)


async def _gathered(awaitables: list[Awaitable[Any]]) -> list[Any]:
    return await asyncio.gather(*awaitables)


def a_question(**more: Any) -> dict[str, Any]:
    """Return what is asked of a model, and was not asked before."""
    return {"model": MODEL, "messages": [{"role": "user", "content": f"What is new? {uuid.uuid4()}"}], **more}
