"""`askonce purge`."""

from tests.e2e.command_line import CommandLine
from tests.integration.asking import new_text


def test_a_dry_run_says_what_and_how_much_and_deletes_nothing(askonce: CommandLine) -> None:
    key = askonce("ask", "--json", text := new_text()).document["cache"]["key"]
    looked = askonce("purge", key, "--dry-run")
    assert (looked.code, looked.out.startswith("would delete 1 answer (")) == (0, True)
    assert askonce("purge", "--dry-run", "--json", "--task", "chat").document["answers"] >= 1
    assert askonce("ask", "--only-if-cached", text).code == 0


def test_one_answer_is_purged_by_its_key(askonce: CommandLine) -> None:
    key = askonce("ask", "--json", text := new_text()).document["cache"]["key"]
    assert askonce("purge", key).out == f"deleted 1 answer of the key {key}\n"
    assert askonce("ask", "--only-if-cached", text).code == 5


def test_a_task_type_is_not_purged_unless_somebody_says_yes(askonce: CommandLine) -> None:
    text = new_text()
    askonce("ask", "-t", "keywords", text)
    refused = askonce("purge", "--task", "keywords")
    assert (refused.code, "add --yes" in refused.notes) == (2, True)
    assert askonce("purge", "--task", "keywords", "--yes").out.startswith("deleted ")
    assert askonce("ask", "-t", "keywords", "--only-if-cached", text).code == 5


def test_what_is_no_key_is_a_sentence(askonce: CommandLine) -> None:
    refused = askonce("purge", "nonsense")
    assert (refused.code, "key: must be 64 digits" in refused.notes) == (2, True)
