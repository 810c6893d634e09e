"""The members that every document of a job has, a hit's included."""

MEMBERS = {
    *(
        "status",
        "job_id",
        "task_type",
        "model",
        "provider",
        "result",
        "error",
        "usage",
        "attempts",
        "trace_id",
        "cache",
    ),
    *("created_at", "started_at", "completed_at", "urls"),
}
