"""`askonce ask`, `jobs`, `wait` and `cancel`."""

import base64
import json
import re
import socket
from pathlib import Path

import pytest

from local.ports import free_port
from tests.e2e.command_line import CommandLine
from tests.integration.asking import new_text
from tests.integration.raw_server import RawServer, answer, raw_server
from tests.stack import Stack


def test_the_answer_is_the_output_and_where_it_came_from_is_said_beside_it(askonce: CommandLine) -> None:
    text = new_text()
    first = askonce("ask", "-t", "summarization", text)
    again = askonce("ask", "-t", "summarization", text)
    assert (first.code, again.code, first.out) == (0, 0, again.out)
    assert re.fullmatch(r"miss: answered by simulated \S+ in [\d.]+ m?s; \d+ tokens, about \$\S+\n", first.notes)
    assert re.fullmatch(r"hit: memcached, \S+ m?s old; it cost nothing and saved \d+ tokens, .*\n", again.notes)


def test_a_text_is_read_from_a_file_or_from_a_pipe(askonce: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "text").write_text(text := new_text())
    from_file = askonce("ask", "--file", str(tmp_path / "text"), "--json")
    piped = askonce("ask", "--json", stdin=text.encode())
    assert from_file.document["job_id"] == piped.document["job_id"]


def test_a_picture_is_read_from_its_file(askonce: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "dot.png").write_bytes(base64.b64decode(DOT))
    said = askonce("ask", "-t", "image_classification", "-o", "top_k=2", str(tmp_path / "dot.png"))
    assert (said.code, len(said.lines)) == (0, 2)
    assert re.fullmatch(r"[01]\.\d{3}  \S.*", said.lines[0])


def test_a_chat_is_streamed(askonce: CommandLine) -> None:
    text = new_text()
    first, again = askonce("ask", "--stream", text), askonce("ask", "--stream", text)
    assert (first.code, again.code, first.out) == (0, 0, again.out)
    assert len(first.out) > 2
    assert (first.notes.split(":")[0], again.notes.split(":")[0]) == ("miss", "hit")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["-o", "temperature=9", "hello"], 2, "options/temperature: must be a number from 0"),
        (["-o", "colour=red", "hello"], 2, "the options of chat are: system, history, temperature, max_tokens"),
        (["--only-if-cached", "-o", "system=never", "hello"], 5, "No tier holds the answer"),
        (["--file", "/nowhere"], 2, "/nowhere can't be read: No such file"),
        (["--stream", "-t", "sentiment", "hello"], 2, "--stream is for the task chat only"),
        (["--stream", "--no-wait", "hello"], 2, "it goes neither with --no-wait nor with --timeout"),
        (["--stream", "--timeout", "9", "hello"], 2, "it goes neither with --no-wait nor with --timeout"),
        (["--file", "a", "b"], 2, "there are two inputs, 'b' and --file a"),
        (["--url", "nonsense", "hello"], 2, "must be a URL that starts with http:// or https://"),
    ],
)
def test_a_users_mistake_is_a_sentence(askonce: CommandLine, arguments: list[str], code: int, said: str) -> None:
    ended = askonce("ask", *arguments)
    assert (ended.code, ended.out) == (code, "")
    assert said in ended.notes


def test_a_service_that_is_away_is_a_sentence_that_says_what_to_do(askonce: CommandLine) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    ended = askonce("jobs", "--url", url)
    advice = "Start one with `make up`, or say with --url or ASKONCE_URL where it is."
    assert (ended.code, ended.notes) == (3, f"askonce: {url} does not answer. {advice}\n")


def test_a_question_is_sent_again_as_the_same_one_if_the_service_goes_away_before_it_answers(
    askonce: CommandLine,
) -> None:
    answered = json.dumps(askonce("ask", "--json", new_text()).document).encode()

    def respond(server: RawServer, connection: socket.socket, request: bytes) -> None:
        if len(server.requests) == 1:
            raise ConnectionResetError
        answer(answered)(server, connection, request)

    with raw_server(respond) as server:
        ended = askonce("ask", "--url", server.url, "--no-store", "hello")
    assert (ended.code, ended.notes.splitlines()[0]) == (0, f"{server.url} does not answer; trying again for 10 s")
    keys = [re.findall(rb"(?i)\r\nidempotency-key: (\S+)\r", request) for request in server.requests]
    assert (len(keys), len(keys[0]), keys[0]) == (2, 1, keys[1])


def test_what_is_no_askonce_is_named(askonce: CommandLine, stack: Stack) -> None:
    ended = askonce("stats", "--url", stack.environment["SIMULATOR_URL"])
    assert (ended.code, ended.notes.startswith("askonce: http")) == (3, True)


def test_a_job_is_made_listed_waited_for_and_shown(askonce: CommandLine, stack: Stack) -> None:
    job = askonce("ask", "--no-wait", "-t", "sentiment", new_text()).out.strip()
    waited = askonce("wait", "unknown", job)
    assert (waited.code, waited.out.split()[-1]) == (5, stack.job(job)["result"]["label"])
    assert waited.notes.startswith("askonce: There is no job 'unknown'.")
    assert job in askonce("jobs", "--task", "sentiment", "--status", "completed").out
    assert askonce("jobs", "--task", "sentiment", "--limit", "1", "--json").document[0]["job_id"] == job


def test_a_job_that_has_not_ended_in_time_is_7_and_can_be_cancelled(askonce: CommandLine, stack: Stack) -> None:
    stack.simulator("PUT", "latency", {"seconds": 20})
    ended = askonce("ask", "--timeout", "0", new_text())
    job = ended.notes.split()[-1]
    assert (ended.code, f"askonce wait {job}" in ended.notes) == (7, True)
    assert askonce("cancel", job).out == f"{job} is cancelled\n"
    again = askonce("cancel", job, "unknown")
    assert (again.code, len(again.notes.splitlines())) == (5, 2)
    assert (askonce("wait", job).code, stack.job(job)["status"]) == (6, "cancelled")


def test_ctrl_c_ends_only_the_waiting_and_tells_how_to_get_the_answer(
    askonce: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cli.ask.follow", interrupted)
    ended = askonce("ask", new_text())
    assert ended.code == 130
    assert re.fullmatch(r"The job goes on\. Its answer: askonce wait \S+\n", ended.notes)


def test_a_failed_job_says_why_and_is_6(askonce: CommandLine, stack: Stack) -> None:
    stack.fault("bad_request")
    ended = askonce("ask", new_text())
    assert (ended.code, ended.out) == (6, "")
    assert re.fullmatch(r"askonce: \S.*refused.*\n", ended.notes)


def test_a_job_that_is_not_there_is_5(askonce: CommandLine) -> None:
    assert askonce("wait", "0" * 8).code == 5


DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
