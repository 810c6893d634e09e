"""The tables of `make bench-curves PARTS=growth`: what they say of costs at several sizes."""

from bench.growth.costs import Cost
from bench.growth.postgres import Reads
from bench.growth.report import Measured, tables_of
from bench.report import documents

FLAT, GROWING = "SELECT flat FROM jobs", "SELECT  growing\nFROM jobs"


def measured(jobs: int, growing: int, refused: int = 0) -> Measured:
    statements = {FLAT: Reads(calls=10, pages=40), GROWING: Reads(calls=5, pages=10 * growing)}
    pages = sum(each.pages for each in statements.values()) / 10
    cost = Cost(10, refused, pages, 100.0, None, 1.25, statements)
    return Measured(jobs, {"jobs": (jobs, 1.5)}, {"list": cost})


def test_a_table_has_a_column_for_each_size() -> None:
    _, pages, *_ = tables_of([measured(1000, 1), measured(1_000_000, 9)])
    assert (pages.head, pages.rows) == (("", "1,000 jobs", "1,000,000 jobs"), [("list", "5.0", "13.0")])


def test_only_statements_that_read_more_are_named() -> None:
    *_, statements = tables_of([measured(1000, 1), measured(1_000_000, 9)])
    assert statements.rows == [("list", "`SELECT growing FROM jobs`", "1.0", "9.0")]


def test_a_reading_that_was_refused_is_told() -> None:
    *_, times, _ = tables_of([measured(1000, 1, refused=3)])
    assert times.rows == [("list", "1.2 (3 of 10 refused)")]


def test_the_document_has_a_place_for_them() -> None:
    written = documents.with_part(documents.DOCUMENT.read_text(), documents.GROWTH_MARK, "figures")
    assert f"{documents.GROWTH_MARK}\nfigures\n" in written
