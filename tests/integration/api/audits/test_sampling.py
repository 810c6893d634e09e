"""Which hits are chosen to be asked again, and what is written of them."""

import pytest

from api.audits.sampling import HitAudits
from shared.errors import DatabaseUnavailable
from tests.installation import Installation
from tests.integration.api_client import Api, data_url
from tests.integration.asking import an_answer, ask, png, row, rows, write
from tests.integration.audited import Audited
from tests.integration.fake_provider import LABELS


@pytest.fixture
def audited(installation: Installation) -> Audited:
    return Audited(installation)


def sampler(installation: Installation, ratio: float = 1, capacity: int = 100, most_waiting: int = 500) -> HitAudits:
    return HitAudits(installation.database, ratio, capacity, most_waiting)


def offer(audits: HitAudits, installation: Installation, times: int = 1) -> None:
    for _ in range(times):
        request = ask(installation.settings)
        audits.offer(request, an_answer(), request.client)


def test_by_default_no_hit_is_audited(api: Api) -> None:
    assert api.services.hit_audits is None


def test_a_hit_is_written_with_what_was_asked_and_answered(audited: Audited) -> None:
    body = audited.hit()
    found = row(audited.database, "SELECT * FROM audits")
    assert (found.request["input"], found.result["label"]) == (body["input"], "positive")
    assert (found.tenant, found.task_type, found.queue) == ("default", "sentiment", "text")


def test_a_miss_is_not_audited(audited: Audited) -> None:
    audited.api.answered()
    audited.write()
    assert audited.waiting() == 0


def test_a_hit_on_a_picture_is_not_audited(audited: Audited) -> None:
    audited.provider.default = LABELS
    body = audited.api.answered(task_type="image_classification", input=data_url(png()))
    assert audited.api.post(body).status_code == 200
    audited.write()
    assert audited.waiting() == 0


def test_an_answer_that_is_served_often_is_audited_once_at_a_time(audited: Audited) -> None:
    body = audited.hit()
    for _ in range(3):
        audited.api.post(body)
        audited.write()
    assert audited.waiting() == 1
    assert audited.api.services.hit_audits is not None
    assert audited.api.services.hit_audits.dropped_total == 3


def test_about_the_ratio_of_hits_is_chosen(installation: Installation) -> None:
    audits = sampler(installation, ratio=0.2, capacity=0)
    offer(audits, installation, times=2000)
    assert 250 < audits.chosen_total < 550


def test_what_there_is_no_room_for_in_memory_is_dropped_and_counted(installation: Installation) -> None:
    audits = sampler(installation, capacity=2)
    offer(audits, installation, times=5)
    assert (audits.backlog, audits.dropped_total) == (2, 3)


def test_what_there_is_no_room_for_in_the_table_is_dropped_and_counted(installation: Installation) -> None:
    audits = sampler(installation, most_waiting=3)
    offer(audits, installation, times=5)
    audits.flush()
    assert len(rows(installation.database, "SELECT FROM audits")) == 3
    assert audits.dropped_total == 2


def test_while_postgresql_is_away_chosen_hits_wait(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    audits = sampler(installation)
    offer(audits, installation, times=2)
    with monkeypatch.context() as patch:
        patch.setattr(audits, "_write", away)
        audits.flush()
    assert audits.backlog == 2
    audits.flush()
    assert len(rows(installation.database, "SELECT FROM audits")) == 2


def away(_: object) -> int:
    raise DatabaseUnavailable


def test_what_postgresql_refuses_is_dropped_and_counted(installation: Installation) -> None:
    audits = sampler(installation)
    offer(audits, installation)
    write(installation.database, "ALTER TABLE audits RENAME TO audits_elsewhere")
    try:
        audits.flush()
    finally:
        write(installation.database, "ALTER TABLE audits_elsewhere RENAME TO audits")
    assert (audits.backlog, audits.dropped_total) == (0, 1)


def test_a_purge_by_task_type_deletes_the_audits_of_its_answers(audited: Audited) -> None:
    audited.hit()
    audited.api.services.purges.write("default", "chat")
    assert audited.waiting() == 1
    audited.api.services.purges.write("*", "sentiment")
    assert audited.waiting() == 0


def test_a_purge_by_key_deletes_the_audit_of_its_answer(audited: Audited) -> None:
    audited.hit()
    body = audited.hit()
    key = audited.api.post(body).json["cache"]["key"]
    assert audited.api.http.delete(f"/api/v1/cache/{key}").status_code == 200
    found = rows(audited.database, "SELECT cache_key FROM audits")
    assert len(found) == 1
    assert found[0].cache_key != key


def test_metrics_count_what_was_chosen(audited: Audited) -> None:
    audited.hit()
    assert "askonce_audits_chosen_total 1.0" in audited.api.services.metrics.render().decode()
