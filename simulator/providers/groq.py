"""Groq's chat completions: which requests it takes, how it refuses the others, what it answers."""

from typing import Any

from shared.domain.task_type import ChatCompletion
from simulator.answers.captions import Captions
from simulator.answers.choices import choices_of
from simulator.answers.schema_instances import UnusableSchema, check_strict
from simulator.providers.chat_order import ChatOrder, UnusableOrder, read_chat_order
from simulator.providers.completions import completion, fingerprint
from simulator.providers.prompt_cache import PromptCache
from simulator.providers.refusals import Refusal, error_reply
from simulator.providers.served import models_of
from simulator.providers.wire import GROQ, ProviderReply, ProviderRequest, RequestRefused, json_reply

#: Served, but asked for nothing unless a setting says so.
WITHOUT_SCHEMAS = frozenset({"qwen/qwen3.6-27b"})
DECOMMISSIONED = frozenset(
    {
        "llama-3.3-70b-versatile",
        "llama-3.1-8b-instant",
        "llama3-70b-8192",
        "llama3-8b-8192",
        "meta-llama/llama-4-scout-17b-16e-instruct",
        "meta-llama/llama-4-maverick-17b-128e-instruct",
        "deepseek-r1-distill-llama-70b",
        "qwen/qwen3-32b",
    }
)
REQUESTS_PER_DAY = 14_400
TOKENS_PER_MINUTE = 18_000
#: What OpenAI has and Groq refuses; `n` may be 1.
UNSUPPORTED = ("logprobs", "top_logprobs", "logit_bias")
#: What messages of other providers' models have, and Groq refuses in one that comes back, even if it is null.
UNSUPPORTED_OF_ASSISTANTS = ("refusal", "annotations", "audio", "reasoning_content")


class GroqModels:
    """Groq, as far as this project calls it."""

    def __init__(self, captions: Captions, prompt_cache: PromptCache) -> None:
        """Take what describes pictures, for the models that see, and what knows prompts that came before."""
        self._captions = captions
        self._prompt_cache = prompt_cache
        self.models = models_of(GROQ, ChatCompletion) | WITHOUT_SCHEMAS

    def answer(self, asked: ProviderRequest) -> ProviderReply:
        """Return the completion; RequestRefused as the real one would refuse."""
        if not asked.has_key:
            raise RequestRefused(error_reply(asked, Refusal(401, "Invalid API Key", code="invalid_api_key")))
        if asked.document is None:
            raise _refused(asked, "could not parse request body as a JSON object")
        self._check_model(asked)
        try:
            _check_parameters(asked.document)
            order = read_chat_order(asked.document)
            _check_format(asked, order)
            thought = "" if order.response_format or order.functions else _visible_thought(asked)
            choices = choices_of(order, self._captions, thought)
        except UnusableOrder as error:
            raise _refused(asked, str(error), error.param) from error
        except UnusableSchema as error:
            raise _refused(asked, str(error)) from error
        document = completion(asked, order.conversation.everything, choices)
        cached_tokens = self._prompt_cache.cached_tokens(asked.model or "", order.conversation.instructions)
        if cached_tokens:
            document["usage"]["prompt_tokens_details"] = {"cached_tokens": cached_tokens}
        return json_reply(200, _with_groq_members(document, asked), _headers(document, asked))

    def _check_model(self, asked: ProviderRequest) -> None:
        if asked.model in DECOMMISSIONED:
            message = f"The model `{asked.model}` has been decommissioned and is no longer supported."
            raise RequestRefused(error_reply(asked, Refusal(400, message, code="model_decommissioned")))
        if asked.model not in self.models:
            message = f"The model `{asked.model}` does not exist or you do not have access to it."
            raise RequestRefused(error_reply(asked, Refusal(404, message, code="model_not_found")))


def _check_parameters(document: dict[str, Any]) -> None:
    for name in UNSUPPORTED:
        if document.get(name) is not None:
            message = f"property '{name}' is unsupported"
            raise UnusableOrder(message, name)
    if document.get("n") not in (None, 1):
        message = "'n' : number must be at most 1"
        raise UnusableOrder(message, "n")
    messages = document.get("messages")
    for place, message in enumerate(messages if isinstance(messages, list) else ()):
        if isinstance(message, dict):
            _check_message(f"messages.{place}", message)
    if "reasoning_format" in document and "include_reasoning" in document:
        message = "cannot specify both `include_reasoning` and `reasoning_format`"
        raise UnusableOrder(message, "include_reasoning")
    effort = document.get("reasoning_effort")
    if effort is not None and document["model"].startswith("openai/") and effort not in ("low", "medium", "high"):
        message = "`reasoning_effort` must be one of `low`, `medium`, or `high`"
        raise UnusableOrder(message, "reasoning_effort")


def _check_message(place: str, message: dict[str, Any]) -> None:
    # Results of tools may name their function.
    if message.get("name") is not None and message.get("role") != "tool":
        said = f"'{place}' : property 'name' is unsupported"
        raise UnusableOrder(said, f"{place}.name")
    for name in UNSUPPORTED_OF_ASSISTANTS:
        if message.get("role") == "assistant" and name in message:
            inner = f"('{place}' : property '{name}' is unsupported)"
            said = f"'{place}' : for 'role:assistant' the following must be satisfied[{inner}]"
            raise UnusableOrder(said, f"{place}.{name}")


def _check_format(asked: ProviderRequest, order: ChatOrder) -> None:
    wanted = order.response_format
    if wanted.get("type") == "json_object" and "json" not in order.conversation.everything.lower():
        message = "'messages' must contain the word 'json' in some form, to use 'response_format' 'json_object'."
        raise UnusableOrder(message, "messages")
    if wanted.get("type") != "json_schema":
        return
    if not wanted["json_schema"]["name"]:
        message = "`response_format.json_schema` needs a name"
        raise UnusableOrder(message, "response_format")
    if asked.model in WITHOUT_SCHEMAS:
        message = "This model does not support response format `json_schema`."
        raise UnusableOrder(message, "response_format")
    if wanted["json_schema"].get("strict"):
        check_strict(wanted["json_schema"]["schema"])


def _visible_thought(asked: ProviderRequest) -> str:
    """Return the thinking that Qwen models put into the answer unless the caller hides it."""
    order = asked.document or {}
    hidden = (
        order.get("include_reasoning") is False
        or order.get("reasoning_format") in ("hidden", "parsed")
        or order.get("reasoning_effort") == "none"
    )
    return "" if hidden or not (asked.model or "").startswith("qwen/") else "<think>\nWhat is asked here?\n</think>\n\n"


def _with_groq_members(document: dict[str, Any], asked: ProviderRequest) -> dict[str, Any]:
    usage = document["usage"]
    prompt_time, completion_time = usage["prompt_tokens"] / 20_000, usage["completion_tokens"] / 1_000
    usage |= {
        "queue_time": 0.01,
        "prompt_time": round(prompt_time, 6),
        "completion_time": round(completion_time, 6),
        "total_time": round(prompt_time + completion_time, 6),
    }
    return {**document, "service_tier": "on_demand", "x_groq": {"id": f"req_{fingerprint(asked)[:26]}"}}


def _headers(document: dict[str, Any], asked: ProviderRequest) -> dict[str, str]:
    # Real ones shrink from call to call; these depend on the request alone, like all else here.
    used = min(document["usage"]["total_tokens"], TOKENS_PER_MINUTE)
    return {
        "x-ratelimit-limit-requests": str(REQUESTS_PER_DAY),
        "x-ratelimit-limit-tokens": str(TOKENS_PER_MINUTE),
        "x-ratelimit-remaining-requests": str(REQUESTS_PER_DAY - 1),
        "x-ratelimit-remaining-tokens": str(TOKENS_PER_MINUTE - used),
        "x-ratelimit-reset-requests": "6s",
        "x-ratelimit-reset-tokens": f"{used * 60 / TOKENS_PER_MINUTE:.3f}s",
        "x-request-id": f"req_{fingerprint(asked)[:26]}",
    }


def _refused(asked: ProviderRequest, message: str, param: str | None = None) -> RequestRefused:
    return RequestRefused(error_reply(asked, Refusal(400, message, param=param)))
