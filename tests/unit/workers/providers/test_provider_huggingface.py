import base64
import json
from collections.abc import Callable

import pytest
import requests
from canned import Canned, Said, completion

from shared.domain.answer import Usage
from shared.domain.pictures import picture
from shared.domain.request import TextInput
from shared.jobs.errors import (
    BadAnswer,
    ModelNotAvailable,
    ProviderError,
    ProviderPaymentRequired,
    ProviderRateLimited,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnauthorized,
    ProviderUnavailable,
)
from tests.task_types import model_call
from workers.providers.base import Completion, ModelCall
from workers.providers.call_limits import CallLimits
from workers.providers.huggingface import HuggingFaceProvider

KEY = "hf_" + "k" * 30
LIMITS = CallLimits(5, 1_000_000)
PNG = picture(b"\x89PNG\r\n\x1a\nrest")
LABELS = [{"label": "cat", "score": 0.2}, {"label": "dog", "score": 0.7}, {"label": "fox", "score": 0.1}]


def classify(top_k: int = 5, model: str = "google/vit-base-patch16-224") -> ModelCall:
    return model_call("image_classification", model, PNG, top_k=top_k)


def caption(max_words: int = 12) -> ModelCall:
    return model_call("image_captioning", "google/gemma-3-27b-it", PNG, max_words=max_words)


def ask(call: ModelCall, said: Said | Exception) -> tuple[Completion, requests.PreparedRequest]:
    adapter = Canned(said)
    answered = HuggingFaceProvider(KEY, "https://hf.test", LIMITS, adapter=adapter).answer(call)
    return answered, adapter.sent[0]


def error_of(said: Said | Exception, call: ModelCall | None = None) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        ask(call or classify(), said)
    return caught.value


def test_labels_come_most_likely_first() -> None:
    answered, _ = ask(classify(), Said(body=LABELS))
    assert [label["label"] for label in answered.result["labels"]] == ["dog", "cat", "fox"]
    assert answered.usage == Usage()


def test_by_default_the_picture_is_sent_as_it_is() -> None:
    _, sent = ask(classify(), Said(body=LABELS))
    assert sent.url == "https://hf.test/hf-inference/models/google/vit-base-patch16-224"
    assert (sent.body, sent.headers["Content-Type"]) == (PNG.content, "image/png")
    assert sent.headers["Authorization"] == f"Bearer {KEY}"


def test_another_top_k_is_sent_along_with_the_picture() -> None:
    _, sent = ask(classify(top_k=2), Said(body=LABELS))
    assert isinstance(sent.body, bytes)
    assert json.loads(sent.body) == {
        "inputs": base64.b64encode(PNG.content).decode(),
        "parameters": {"top_k": 2},
    }


def test_no_more_than_top_k_labels_are_given() -> None:
    answered, _ = ask(classify(top_k=2), Said(body=LABELS))
    assert answered.result == {"labels": [{"label": "dog", "score": 0.7}, {"label": "cat", "score": 0.2}]}


def test_a_model_name_cannot_leave_its_place_in_the_path() -> None:
    _, sent = ask(classify(model="a/b?c=d#e"), Said(body=LABELS))
    assert sent.url == "https://hf.test/hf-inference/models/a/b%3Fc%3Dd%23e"


def test_a_caption_is_asked_of_the_chat_endpoint() -> None:
    answered, sent = ask(caption(), Said(body=completion(" A cat on a mat. ")))
    assert answered == Completion({"caption": "A cat on a mat."}, Usage(300, 9, 309))
    assert sent.url == "https://hf.test/v1/chat/completions"
    assert isinstance(sent.body, bytes)
    assert json.loads(sent.body)["messages"][0]["content"][1]["type"] == "image_url"


def test_a_text_can_be_asked_about_too() -> None:
    call = model_call("sentiment", "a/b", TextInput("Lovely."))
    answered, sent = ask(call, Said(body=completion('{"label": "positive", "score": 0.9}')))
    assert answered.result == {"label": "positive", "score": 0.9}
    assert isinstance(sent.body, bytes)
    asked = json.loads(sent.body)
    assert "\nLovely.\n" in asked["messages"][1]["content"]
    assert asked["response_format"]["type"] == "json_schema"


def test_an_error_does_not_quote_the_text() -> None:
    text = "A secret that is long enough to be told from others."
    call = model_call("sentiment", "a/b", TextInput(text))
    assert text not in error_of(Said(400, {"error": f"Can't read: {text}"}), call).detail


def test_a_base_url_from_the_docs_works_too() -> None:
    adapter = Canned(Said(body=completion("A cat.")))
    HuggingFaceProvider(KEY, "https://hf.test/v1/", LIMITS, adapter=adapter).answer(caption())
    assert adapter.sent[0].url == "https://hf.test/v1/chat/completions"


@pytest.mark.parametrize(
    "body",
    [completion(""), completion(None), completion("A cat on", "length"), {"error": "busy"}, [], None, "A cat."],
)
def test_an_unfinished_or_misshapen_caption_is_a_bad_answer(body: object) -> None:
    assert type(error_of(Said(body=body), caption())) is BadAnswer


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        None,
        {"error": "busy"},
        "cat",
        [["cat", 0.5]],
        [{"label": "cat"}],
        [{"label": " ", "score": 0.5}],
        [{"label": 3, "score": 0.5}],
        [{"label": "c\x00t", "score": 0.5}],
        [{"label": "cat", "score": 1.5}],
        [{"label": "cat", "score": "0.5"}],
        [{"label": "cat", "score": None}],
        [{"label": "cat", "score": float("nan")}],
    ],
)
def test_misshapen_labels_are_a_bad_answer(body: object) -> None:
    assert type(error_of(Said(body=body))) is BadAnswer


@pytest.mark.parametrize("content", [b"", b"<html>Hi</html>", b"\xff", b"[" * 100_000])
def test_a_status_of_200_without_json_is_a_bad_answer(content: bytes) -> None:
    assert type(error_of(Said(content=content))) is BadAnswer


def test_an_endless_answer_is_a_bad_answer() -> None:
    assert type(error_of(Said(content=b" " * (LIMITS.max_answer_bytes + 1)))) is BadAnswer


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, ProviderRejected),
        (400, ProviderRejected),
        (401, ProviderUnauthorized),
        (402, ProviderPaymentRequired),
        (403, ProviderUnauthorized),
        (404, ModelNotAvailable),
        (408, ProviderTimeout),
        (410, ModelNotAvailable),
        (413, ProviderRejected),
        (422, ProviderRejected),
        (429, ProviderRateLimited),
        (500, ProviderUnavailable),
        (502, ProviderUnavailable),
        (503, ProviderUnavailable),
        (504, ProviderTimeout),
    ],
)
def test_each_status_has_its_error(status: int, kind: type[ProviderError]) -> None:
    assert type(error_of(Said(status, {"error": "No."}))) is kind


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"error": "You are out of credits."}, "Hugging Face answered 402: You are out of credits."),
        ({"error": {"message": "Out of credits."}}, "Hugging Face answered 402: Out of credits."),
        ({"message": "Out of credits."}, "Hugging Face answered 402: Out of credits."),
        ({"error": [f"Bad key {KEY}"]}, "Hugging Face answered 402."),
        ({"error": f"Bad key {KEY}"}, "Hugging Face answered 402: Bad key [removed]"),
        ({"error": "Bad image data:image/png;base64,AAAA"}, "Hugging Face answered 402: Bad image [removed]"),
        ({"error": f"Bad inputs {'iVBO' * 99}"}, "Hugging Face answered 402: Bad inputs [removed]"),
        (7, "Hugging Face answered 402."),
    ],
)
def test_the_detail_quotes_the_message_wherever_it_is(body: object, detail: str) -> None:
    assert error_of(Said(402, body)).detail == detail


def test_an_error_page_has_its_error_too() -> None:
    assert error_of(Said(502, content=b"<html>Bad gateway</html>")).detail == "Hugging Face answered 502."


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (Said(429, {}, headers={"retry-after": "9"}), 9.0),
        (Said(429, {}, headers={"ratelimit": '"api";r=0;t=55'}), 55.0),
        (Said(503, {"error": "Model is currently loading", "estimated_time": 20.5}), 20.5),
        (Said(503, {"error": "Model is currently loading", "estimated_time": -1}), None),
        (Said(503, {"error": "Model is currently loading", "estimated_time": "20"}), None),
        (Said(503, {}), None),
    ],
)
def test_the_wait_the_provider_asks_for_is_passed_on(said: Said, seconds: float | None) -> None:
    assert error_of(said).retry_after == seconds


def tree(root: type[requests.RequestException]) -> list[type[requests.RequestException]]:
    return [root, *(kind for child in root.__subclasses__() for kind in tree(child))]


def plain(kind: type[requests.RequestException]) -> Exception:
    made: Callable[..., Exception] = kind
    return made("broken", "", 0) if kind is requests.exceptions.JSONDecodeError else made("broken")


@pytest.mark.parametrize("kind", tree(requests.RequestException), ids=lambda kind: kind.__name__)
def test_every_failure_of_the_wire_is_a_timeout_or_unavailability(kind: type[requests.RequestException]) -> None:
    expected = ProviderTimeout if issubclass(kind, requests.Timeout) else ProviderUnavailable
    assert type(error_of(plain(kind))) is expected


def test_a_text_is_not_classified() -> None:
    call = model_call("image_classification", "m", TextInput("cat"))
    assert type(error_of(Said(body=LABELS), call)) is ProviderRejected


@pytest.mark.parametrize(
    ("asked", "body"), [(classify(), LABELS), (classify(top_k=2), LABELS), (caption(), completion("A cat."))]
)
def test_an_answer_after_which_nothing_remains_asks_for_rest(asked: ModelCall, body: object) -> None:
    answered, _ = ask(asked, Said(body=body, headers={"RateLimit": '"api";r=0;t=55'}))
    assert answered.pause == 55


@pytest.mark.parametrize(
    "echo",
    ["\u200b".join(KEY), "\n".join(KEY), KEY.upper(), KEY[5:], f"'{KEY[:12]}...'", KEY.replace("_", "\u00ad_")],
    ids=["invisible characters", "lines", "capitals", "its end", "its beginning", "a soft hyphen"],
)
def test_an_error_does_not_quote_a_key_in_disguise(echo: str) -> None:
    detail = error_of(Said(401, {"error": f"Bad key {echo}"})).detail
    assert KEY[3:11] not in "".join(filter(str.isalnum, detail.casefold()))


def test_an_answer_with_our_key_is_no_answer() -> None:
    error = error_of(Said(body=completion(f"You sent Bearer {KEY}.")), caption())
    assert (type(error), error.detail) == (BadAnswer, "The provider's answer repeats the API key.")
