"""The simulator's Flask app."""

from flask import Flask
from flask.typing import ResponseReturnValue

from local.simulator.admin_views import admin_views
from local.simulator.captions import Captions
from local.simulator.drawings import draw_samples
from local.simulator.exchange import Exchange
from local.simulator.faults import FaultPlan
from local.simulator.groq import GroqModels
from local.simulator.hugging_face import HuggingFaceModels
from local.simulator.ledger import Ledger
from local.simulator.picture_views import Album, picture_views
from local.simulator.prompt_cache import PromptCache
from local.simulator.provider_views import provider_views

ABOUT = {
    "name": "AskOnce provider simulator",
    "warning": "This is a simulator: no model runs here, every answer is made up.",
    "providers": {
        "groq": "/openai/v1/chat/completions",
        "huggingface": ["/hf-inference/models/<org>/<model>", "/v1/chat/completions"],
    },
    "pictures": [f"/pictures/{name}" for name in ("cat.png", "bridge.jpg", "sunset.webp", "wave.gif")],
    "admin": ["/admin/faults", "/admin/latency", "/admin/prompt-cache", "/admin/calls"],
    "health": "/health",
}


def create_app() -> Flask:
    """Return a simulator with no calls and no faults; every app has a state of its own."""
    app = Flask(__name__, static_folder=None)
    ledger, faults = Ledger(), FaultPlan()
    exchange = Exchange(ledger, faults)
    samples = draw_samples()
    captions, prompt_cache = Captions(samples), PromptCache()
    groq, hugging_face = GroqModels(captions, prompt_cache), HuggingFaceModels(captions)
    app.register_blueprint(provider_views(exchange, groq, hugging_face))
    app.register_blueprint(picture_views(Album(samples), ledger))
    app.register_blueprint(admin_views(faults, ledger, exchange, prompt_cache))

    @app.get("/")
    def about() -> ResponseReturnValue:
        return ABOUT

    @app.get("/health")
    def health() -> ResponseReturnValue:
        return {"status": "ok"}

    return app
