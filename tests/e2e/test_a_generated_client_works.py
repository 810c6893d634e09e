"""A client that was generated from the OpenAPI document asks a running AskOnce, and gets what its types say."""

import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

from tests.stack import SESSION_STACK, Stack, eventually

PACKAGE = "generated_client"
GENERATOR = Path(sys.executable).with_name("openapi-python-client")


class Generated:
    """A client, with the functions and classes of its package by name."""

    def __init__(self, url: str) -> None:
        self.models = import_module(f"{PACKAGE}.models")
        self.client = import_module(f"{PACKAGE}.client").Client(base_url=url, raise_on_unexpected_status=True)

    def call(self, operation: str, *args: Any, **kwargs: Any) -> Any:
        """Return the parsed body of what an operation, `group.name`, answers with."""
        return import_module(f"{PACKAGE}.api.{operation}").sync(*args, client=self.client, **kwargs)

    def summarize(self, text: str, max_words: int = 20) -> Any:
        options = self.models.SummarizationOptions(max_words=max_words)
        body = self.models.SummarizationRequest(task_type="summarization", input_=text, options=options)
        return self.call("predict.predict", body=body)


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Generated]:
    folder = tmp_path_factory.mktemp("generated")
    url = SESSION_STACK.running().url("")
    (folder / "openapi.json").write_bytes(requests.get(f"{url}/openapi.json", timeout=30).content)
    (folder / "config.yml").write_text("post_hooks: []\n")
    whole = ("--path", "openapi.json", "--config", "config.yml", "--fail-on-warning")
    made = ("--meta", "none", "--output-path", PACKAGE)
    done = subprocess.run(
        [GENERATOR, "generate", *whole, *made], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    client = Generated(url)
    with client.client:
        yield client
    sys.path.remove(str(folder))


def test_it_asks_polls_and_gets_a_typed_result_and_then_a_hit(stack: Stack, generated: Generated) -> None:
    models, text = generated.models, f"A client was generated. It asks a question. {uuid4()}"
    accepted = generated.summarize(text)
    assert (type(accepted), accepted.result) == (models.SummarizationJob, None)

    def ended() -> Any:
        job = generated.call("jobs.get_job", accepted.job_id)
        return job if job.status == models.JobStatus.COMPLETED else None

    job = eventually(ended)
    assert (type(job), type(job.result)) == (models.SummarizationJob, models.SummarizationResult)
    hit = generated.summarize(text)
    assert (hit.cache.hit, hit.cache.tier.value, hit.result) == (True, "memcached", job.result)
    assert stack.job(str(job.job_id))["result"] == job.result.to_dict()


def test_the_type_of_a_result_follows_from_the_task_type(stack: Stack, generated: Generated) -> None:
    models = generated.models
    picture = f"{stack.environment['SIMULATOR_URL']}/pictures/cat.png"
    bodies = [
        models.ImageClassificationRequest(task_type="image_classification", input_=picture),
        models.SentimentRequest(task_type="sentiment", input_=f"I like that. {uuid4()}"),
    ]
    labels, sentiment = (generated.call("predict.predict", body=body, prefer="wait=60") for body in bodies)
    assert (type(labels), type(labels.result)) == (models.ImageClassificationJob, models.ImageClassificationResult)
    assert 0 <= labels.result.labels[0].score <= 1
    assert (type(sentiment), type(sentiment.result.label)) == (models.SentimentJob, models.SentimentResultLabel)
    listed = generated.call("jobs.list_jobs", limit=2)
    assert {type(job) for job in listed.jobs} == {models.ImageClassificationJob, models.SentimentJob}


def test_an_error_is_typed_too(stack: Stack, generated: Generated) -> None:
    wrong = generated.summarize("Too short?", max_words=5)
    unknown = generated.call("jobs.get_job", uuid4())
    assert [type(each) for each in (wrong, unknown)] == [generated.models.Problem] * 2
    assert (wrong.status, wrong.code, wrong.errors[0].pointer) == (422, "invalid_request", "/options/max_words")
    assert (unknown.status, unknown.code) == (404, "not_found")
    assert requests.get(stack.url(unknown.type_), timeout=30).status_code == 200
