"""Log lines: their format, what they carry of the job and the request, and how often they repeat."""
