"""Groq's chat completions: which requests it takes, how it refuses the others, what it answers."""

from collections.abc import Set as AbstractSet
from typing import Any, NoReturn

from shared.domain.task_type import ChatCompletion
from simulator.answers.captions import Captions
from simulator.answers.replies import content_of
from simulator.answers.schema_instances import UnusableSchema, check_strict
from simulator.providers.completions import completion, fingerprint
from simulator.providers.conversation import UnreadableConversation, read_conversation
from simulator.providers.prompt_cache import PromptCache
from simulator.providers.refusals import groq_error
from simulator.providers.served import models_of
from simulator.providers.wire import GROQ, ProviderReply, ProviderRequest, RequestRefused, json_reply, read_object

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
HOTTEST = 2
REQUESTS_PER_DAY = 14_400
TOKENS_PER_MINUTE = 18_000


class GroqModels:
    """Groq, as far as this project calls it."""

    def __init__(self, captions: Captions, prompt_cache: PromptCache) -> None:
        """Take what describes pictures, for the models that see, and what knows prompts that came before."""
        self._captions = captions
        self._prompt_cache = prompt_cache
        self._models = models_of(GROQ, ChatCompletion) | WITHOUT_SCHEMAS

    def answer(self, asked: ProviderRequest) -> ProviderReply:
        """Return the completion; RequestRefused as the real one would refuse."""
        if not asked.has_key:
            raise RequestRefused(groq_error(401, "Invalid API Key", "invalid_request_error", "invalid_api_key"))
        order = read_object(asked.body)
        if order is None:
            _refuse("could not parse request body as a JSON object")
        _check_model(asked.model, self._models)
        _check_parameters(order)
        try:
            conversation = read_conversation(order.get("messages"))
            wanted = _response_format(order)
            if wanted.get("type") == "json_object" and "json" not in conversation.everything.lower():
                _refuse("'messages' must contain the word 'json' in some form, to use 'response_format' 'json_object'.")
            content = content_of(conversation, wanted, self._captions)
        except (UnreadableConversation, UnusableSchema) as error:
            _refuse(str(error), error)
        thought = "" if wanted else _visible_thought(order)
        limit = order.get("max_completion_tokens") or order.get("max_tokens")
        document = completion(asked, conversation.everything, thought + content, limit)
        cached_tokens = self._prompt_cache.cached_tokens(asked.model or "", conversation.instructions)
        if cached_tokens:
            document["usage"]["prompt_tokens_details"] = {"cached_tokens": cached_tokens}
        return json_reply(200, _with_groq_members(document, asked), _headers(document, asked))


def _check_model(model: str | None, served: AbstractSet[str]) -> None:
    if model in DECOMMISSIONED:
        message = f"The model `{model}` has been decommissioned and is no longer supported."
        raise RequestRefused(groq_error(400, message, "invalid_request_error", "model_decommissioned"))
    if model not in served:
        message = f"The model `{model}` does not exist or you do not have access to it."
        raise RequestRefused(groq_error(404, message, "invalid_request_error", "model_not_found"))


def _check_parameters(order: dict[str, Any]) -> None:
    temperature = order.get("temperature", 1)
    if type(temperature) not in (int, float) or not 0 <= temperature <= HOTTEST:
        _refuse("`temperature` must be between 0 and 2")
    for name in ("max_completion_tokens", "max_tokens"):
        if order.get(name) is not None and (type(order[name]) is not int or order[name] < 1):
            _refuse(f"`{name}` must be a number of 1 or more")
    if order.get("n", 1) != 1:
        _refuse("`n` must be at most 1")
    if order.get("stream"):
        _refuse("the simulator does not stream")
    if "reasoning_format" in order and "include_reasoning" in order:
        _refuse("cannot specify both `include_reasoning` and `reasoning_format`")
    effort = order.get("reasoning_effort")
    if effort is not None and order["model"].startswith("openai/") and effort not in ("low", "medium", "high"):
        _refuse("`reasoning_effort` must be one of `low`, `medium`, or `high`")


def _response_format(order: dict[str, Any]) -> dict[str, Any]:
    wanted = order.get("response_format") or {}
    if not isinstance(wanted, dict) or wanted.get("type", "text") not in ("text", "json_object", "json_schema"):
        _refuse("`response_format.type` must be one of `text`, `json_object`, `json_schema`")
    if wanted.get("type") != "json_schema":
        return {} if wanted.get("type") == "text" else wanted
    requested = wanted.get("json_schema")
    if not isinstance(requested, dict) or not isinstance(requested.get("schema"), dict) or not requested.get("name"):
        _refuse("`response_format.json_schema` needs a name and a schema")
    if order["model"] in WITHOUT_SCHEMAS:
        _refuse("This model does not support response format `json_schema`.")
    if requested.get("strict"):
        check_strict(requested["schema"])
    return wanted


def _visible_thought(order: dict[str, Any]) -> str:
    """Return the thinking that Qwen models put into the answer unless the caller hides it."""
    hidden = (
        order.get("include_reasoning") is False
        or order.get("reasoning_format") in ("hidden", "parsed")
        or order.get("reasoning_effort") == "none"
    )
    return "" if hidden or not order["model"].startswith("qwen/") else "<think>\nWhat is asked here?\n</think>\n\n"


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


def _refuse(message: str, cause: Exception | None = None) -> NoReturn:
    raise RequestRefused(groq_error(400, message, "invalid_request_error", None)) from cause
