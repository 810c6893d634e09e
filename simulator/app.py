"""The simulator's Flask app."""

from flask import Flask
from flask.typing import ResponseReturnValue

from simulator.admin_views import admin_views
from simulator.answers.captions import Captions
from simulator.call_log import CallLog
from simulator.faults.faults import FaultPlan
from simulator.pictures.drawings import draw_samples
from simulator.pictures.views import SamplePictures, picture_views
from simulator.providers.exchange import ProviderExchange
from simulator.providers.groq import GroqModels
from simulator.providers.hugging_face import HuggingFaceModels
from simulator.providers.openai import OpenAIModels
from simulator.providers.prompt_cache import PromptCache
from simulator.providers.views import groq_views, hugging_face_views, openai_views

ABOUT = {
    "name": "AskOnce provider simulator",
    "warning": "This is a simulator: no model runs here, every answer is made up.",
    "providers": {
        "groq": [f"/openai/v1/{path}" for path in ("chat/completions", "models")],
        "huggingface": [
            *(f"/hf-inference/models/<org>/<model>{path}" for path in ("", "/pipeline/feature-extraction")),
            *(f"/v1/{path}" for path in ("chat/completions", "models")),
        ],
        "openai": [f"/compatible/v1/{path}" for path in ("chat/completions", "embeddings", "models")],
    },
    "pictures": [f"/pictures/{name}" for name in ("cat.png", "bridge.jpg", "sunset.webp", "wave.gif")],
    "admin": ["/admin/faults", "/admin/latency", "/admin/pace", "/admin/prompt-cache", "/admin/calls"],
    "health": "/health",
}


def create_app() -> Flask:
    """Return a simulator with no calls and no faults; every app has its own state."""
    app = Flask(__name__, static_folder=None)
    call_log, faults = CallLog(), FaultPlan()
    exchange = ProviderExchange(call_log, faults)
    samples = draw_samples()
    captions, prompt_cache = Captions(samples), PromptCache()
    app.register_blueprint(groq_views(exchange, GroqModels(captions, prompt_cache)))
    app.register_blueprint(hugging_face_views(exchange, HuggingFaceModels(captions)))
    app.register_blueprint(openai_views(exchange, OpenAIModels(captions)))
    app.register_blueprint(picture_views(SamplePictures(samples), call_log))
    app.register_blueprint(admin_views(faults, call_log, exchange, prompt_cache))

    @app.get("/")
    def about() -> ResponseReturnValue:
        return ABOUT

    @app.get("/health")
    def health() -> ResponseReturnValue:
        return {"status": "ok"}

    return app
