"""Traces: where in one a piece of work belongs, and the spans that tell a receiver of OpenTelemetry about it."""
