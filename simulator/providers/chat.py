"""Chat completions as all servers but Groq answer them."""

from simulator.answers.captions import Captions, is_picture
from simulator.answers.choices import choices_of
from simulator.answers.schema_instances import UnusableSchema
from simulator.providers.chat_order import ChatOrder, UnusableOrder, read_chat_order
from simulator.providers.completions import completion
from simulator.providers.refusals import Refusal, error_reply
from simulator.providers.wire import ProviderReply, ProviderRequest, RequestRefused, json_reply


def chat_reply(asked: ProviderRequest, captions: Captions) -> ProviderReply:
    """Return the completion that is asked for; RequestRefused if a parameter is wrong."""
    try:
        order = read_chat_order(asked.document or {})
        _check_picture(order)
        choices = choices_of(order, captions)
    except UnusableOrder as error:
        raise RequestRefused(error_reply(asked, Refusal(400, str(error), param=error.param))) from error
    except UnusableSchema as error:
        raise RequestRefused(error_reply(asked, Refusal(400, str(error)))) from error
    return json_reply(200, completion(asked, order.conversation.everything, choices))


def _check_picture(order: ChatOrder) -> None:
    picture = order.conversation.picture
    if picture is not None and not is_picture(picture) and not picture.startswith((b"https://", b"http://")):
        message = "cannot identify image file"
        raise UnusableOrder(message, "messages")
