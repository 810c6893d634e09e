"""What stays of every call of predict."""

from collections.abc import Callable

from shared.config import Settings
from tests.integration.api_client import Api, a_body, forget_in_memcached, upload
from tests.integration.asking import png, row, rows
from tests.integration.fake_provider import LABELS, POSITIVE
from tests.integration.raw_server import answer, raw_server


def test_every_call_is_recorded_with_one_outcome(api: Api) -> None:
    body = api.answered()
    hit = api.post(body)
    forget_in_memcached(api, hit)
    api.post(body)
    api.post(body, cache_control="no-cache")
    api.post(body, cache_control="no-cache")
    api.post(a_body(), cache_control="no-store")
    api.post(a_body(), cache_control="max-age=5")
    api.post(a_body(), cache_control="only-if-cached")
    api.post({})
    assert api.records() == [
        ("miss", 202),
        ("memcached", 200),
        ("redis", 200),
        ("bypass", 202),
        ("joined", 202),
        ("bypass", 202),
        ("bypass", 202),
        ("miss", 504),
        ("error", 422),
    ]


def test_the_log_shows_a_hit_with_what_was_asked_and_answered(api: Api) -> None:
    body = api.answered()
    api.post(body)
    api.records()
    shown = rows(api.services.database, "SELECT request, response, outcome FROM request_log ORDER BY id")
    assert [each.outcome for each in shown] == ["miss", "memcached"]
    assert {each.request["input"] for each in shown} == {body["input"]}
    assert [each.response for each in shown] == [POSITIVE.result] * 2


def test_the_log_shows_an_upload_by_its_digest_also_when_an_address_had_its_answer(
    open_api: Callable[[Settings], Api], configure: Callable[..., Settings]
) -> None:
    content = png()
    with raw_server(answer(content)) as site:
        api = open_api(configure(IMAGE_URL_ALLOW=f"127.0.0.1:{site.port}"))
        api.provider.default = LABELS
        api.answered(task_type="image_classification", input=f"{site.url}/cat.png")
    assert upload(api, content).status_code == 200
    api.records()
    shown = row(api.services.database, "SELECT request FROM request_log WHERE outcome = 'memcached'")
    assert shown.request["input"].keys() == {"sha256", "bytes", "media_type"}


def test_the_log_shows_an_address_also_when_an_upload_had_its_answer(
    open_api: Callable[[Settings], Api], configure: Callable[..., Settings]
) -> None:
    content = png()
    with raw_server(answer(content)) as site:
        api = open_api(configure(IMAGE_URL_ALLOW=f"127.0.0.1:{site.port}"))
        api.run(upload(api, content))
        body = api.answered(task_type="image_classification", input=f"{site.url}/cat.png")
    assert api.post(body).status_code == 200
    api.records()
    shown = row(api.services.database, "SELECT request FROM request_log WHERE outcome = 'memcached'")
    assert shown.request["input"] == body["input"]
