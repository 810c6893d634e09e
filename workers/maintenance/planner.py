"""What PostgreSQL's planner has to be told."""

IN_INDEX_ORDER = "SET LOCAL enable_sort = off;"
"""Goes in front of a statement that takes the first rows of many, in the order of an index.

Until ANALYZE has seen a backlog, a minute later, PostgreSQL takes it for a row or two, and would rather find all of it
by another index and sort it, a million rows for each batch. For this transaction only.
"""
