"""A provider of PROVIDERS_FILE answers a job, by its real client, and what that costs is on record."""

from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from shared.db.engine import Database
from shared.domain.embedding_input import EmbeddingInput
from shared.domain.embeddings import embedding_models
from shared.domain.request import ANONYMOUS, Request
from shared.jobs.job import JobStatus
from tests.installation import Installation
from tests.integration.asking import accepted, ask, row
from tests.integration.running import jobs_of, run
from tests.integration.simulator_server import simulator_server
from workers.bootstrap import WorkerServices, build_worker

MODEL = "zai-org/GLM-4.5V"


@pytest.fixture
def worker(installation: Installation, tmp_path: Path) -> Iterator[WorkerServices]:
    file = tmp_path / "providers.toml"
    with simulator_server() as address:
        file.write_text(
            f'[providers.mine]\nbase_url = "{address}/compatible/v1"\n'
            f'[providers.mine.models."{MODEL}"]\nprompt = 0.5\ncompletion = 1.25\ncall = 0.01\n'
            "[providers.mine.models.embedder]\nembeds = true\nprompt = 3\n"
        )
        # All text tasks are simulated, but not those that name a provider of the file.
        settings = installation.configure(
            PROVIDERS_FILE=str(file),
            SIMULATOR_URL=address,
            TEXT_PROVIDER="simulated",
            TRANSLATION_MODEL=f"mine:{MODEL}",
        )
        with closing(build_worker(settings)) as worker:
            yield worker


def test_a_provider_of_the_file_answers_and_is_paid_exactly(worker: WorkerServices, database: Database) -> None:
    request = ask(worker.services.settings, "translation", target_language="fr")
    ended = run(worker, accepted(jobs_of(worker), request))
    assert (ended.status, ended.provider, ended.model) == (JobStatus.COMPLETED, "mine", MODEL)
    called = row(database, "SELECT provider, model, prompt_tokens, completion_tokens, cost FROM provider_calls")
    assert (called.provider, called.model) == ("mine", MODEL)
    tokens = called.prompt_tokens * Decimal("0.5") + called.completion_tokens * Decimal("1.25")
    assert called.cost == tokens / 1_000_000 + Decimal("0.01")


def test_so_it_is_with_its_embeddings(worker: WorkerServices, database: Database) -> None:
    offer = embedding_models(worker.services.settings).offers["mine/embedder"]
    given = EmbeddingInput(["Lisbon", "Porto"], {"dimensions": 3})
    ended = run(worker, accepted(jobs_of(worker), Request(ANONYMOUS, offer, offer.model, {}, given)))
    assert ended.result is not None
    assert (ended.status, ended.result["count"], ended.result["dimensions"]) == (JobStatus.COMPLETED, 2, 3)
    called = row(database, "SELECT prompt_tokens, cost FROM provider_calls")
    assert (called.prompt_tokens > 0, called.cost) == (True, called.prompt_tokens * Decimal(3) / 1_000_000)
