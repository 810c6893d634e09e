"""Opens what the settings say about traces. Only here OpenTelemetry is loaded, and only where they are on."""

from importlib.util import find_spec

from shared.config import Settings
from shared.errors import ConfigurationError
from shared.traces.spans import NoTracer, Tracer

PACKAGE = "opentelemetry"


def check_traces(settings: Settings) -> None:
    """Raise ConfigurationError if traces are on, and what sends them is not installed."""
    if settings.traces_endpoint is not None and find_spec(PACKAGE) is None:
        message = "TRACES_ENDPOINT needs the extra `traces`: pip install 'askonce[traces]'"
        raise ConfigurationError(message)


def open_tracer(settings: Settings) -> Tracer:
    """Return what takes spans; connects to nothing yet and starts no thread. Raises ConfigurationError."""
    if settings.traces_endpoint is None:
        return NoTracer()
    check_traces(settings)
    from shared.traces.otlp import OtlpTracer  # noqa: PLC0415  see above

    return OtlpTracer(settings.traces_endpoint, settings.traces_headers)
