"""`askonce stats` and `requests`, and how a command ends that goes on until it is told."""

import json
import os
import signal
import subprocess
import sys

from tests.checkout import CHECKOUT
from tests.e2e.command_line import CommandLine
from tests.integration.asking import new_text
from tests.stack import Stack, eventually

ASKONCE = [sys.executable, "-c", "import sys; from cli.main import main; sys.exit(main())"]


def test_statistics_are_a_table_and_a_chart(askonce: CommandLine) -> None:
    text = new_text()
    askonce("ask", text)
    askonce("ask", text)
    lines = eventually(lambda: [line for line in askonce("stats", "--days", "1").lines if "hit: memcached" in line])
    shown = askonce("stats", "--days", "1").lines
    assert len(lines) == 1
    assert [word for word in ("hit ratio", "saved", "spent") if not any(line.startswith(word) for line in shown)] == []
    assert "█" in shown[-1]
    assert shown[-1].endswith("%")


def test_statistics_as_json_are_those_of_the_api(askonce: CommandLine) -> None:
    assert askonce("stats", "--json", "--bucket", "hour").document["bucket"] == "hour"


def test_calls_on_record_are_listed_by_filter(askonce: CommandLine) -> None:
    job = askonce("ask", "--json", new_text()).document["job_id"]
    (line,) = eventually(lambda: [line for line in askonce("requests", "--job", job).lines if "anonymous" in line])
    assert line.split()[2:4] == ["miss", "200"]


def test_calls_are_followed_once_each_as_they_come_until_ctrl_c(askonce: CommandLine, stack: Stack) -> None:
    askonce("ask", new_text())
    with following(stack) as process:
        assert process.stdout is not None
        shown = [json.loads(process.stdout.readline())]
        for _ in range(2):
            job = askonce("ask", "--json", new_text()).document["job_id"]
            while shown[-1]["job_id"] != job:
                shown.append(json.loads(process.stdout.readline()))
        assert len({record["id"] for record in shown}) == len(shown)
        process.send_signal(signal.SIGINT)
        assert (process.wait(10), process.stderr.read() if process.stderr else "") == (130, "")


def test_a_reader_that_stops_reading_ends_a_command_quietly(askonce: CommandLine, stack: Stack) -> None:
    askonce("ask", new_text())
    with following(stack) as process:
        assert process.stdout is not None
        process.stdout.close()
        askonce("ask", new_text())
        assert (process.wait(10), process.stderr.read() if process.stderr else "") == (141, "")


def following(stack: Stack) -> "subprocess.Popen[str]":
    environment = {**os.environ, "ASKONCE_URL": stack.url("")}
    command = [*ASKONCE, "requests", "--follow", "--json", "--limit", "1"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment, cwd=CHECKOUT, stdout=pipe, stderr=pipe, text=True)
