"""A hint for PostgreSQL's planner about backlogs."""

IN_INDEX_ORDER = "SET LOCAL enable_sort = off; SET LOCAL enable_incremental_sort = off; SET LOCAL jit = off;"
"""Goes in front of a statement that takes the first rows of many, in the order of an index. For one transaction.

Until ANALYZE has seen a backlog, a minute later, PostgreSQL estimates it at one or two rows. Then it would read all of
it by another index and sort it: a million rows for each batch.

Where it must sort all the same, PostgreSQL before 18 puts ten billion on the plan's cost. So dear a plan it would
compile before it runs it: half a second of processor time for a statement that takes a millisecond.
https://www.postgresql.org/docs/17/jit-decision.html
"""
