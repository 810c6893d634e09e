"""Calls of a chat model and of one that captions, and what the chat model answers."""

import json
from io import BytesIO

from PIL import Image

from shared.domain.pictures import picture
from shared.domain.request import Picture, TextInput
from tests.task_types import model_call

QUESTION = "How do you do?"
COMPLETION = json.dumps(
    {"choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hi there."}}]},
).encode()


def drawn() -> Picture:
    content = BytesIO()
    Image.new("RGB", (40, 30), "red").save(content, "PNG")
    return picture(content.getvalue())


CHAT = model_call("chat", "openai/gpt-oss-20b", TextInput(QUESTION), max_tokens=50)
CAPTION = model_call("image_captioning", "google/gemma-3-27b-it", drawn(), max_words=12)
