"""A client's response in pieces, as server-sent events, while the job runs that makes its answer."""

import asyncio
import time
from collections.abc import Sequence

from api.front.exchange import Exchange, ResponseStream
from api.front.unread import UnreadBytes
from api.http.errors import StreamInterrupted
from api.http.listening import EVENTS, Listens
from api.http.openai_errors import in_openai_shape
from api.http.pieces import COMMENT, DONE, Piece, error_event, start_of
from api.http.problems import error_reply
from api.http.reply import Reply
from shared.errors import AskOnceError, Overloaded

COMMENT_SECONDS = 15.0
"""After this time without anything else, a comment is sent."""

FREE_BYTES = 256 * 1024
"""How much of a stream may be unread without being counted, as of a response that is sent as a whole."""


class StreamedCall:
    """One client's stream. It begins with the first piece, or the first comment. Used by the event loop.

    All that is sent is taken at once. What the client leaves unread is counted; who reads nothing is cut off.
    """

    def __init__(
        self,
        exchange: Exchange,
        listens: Listens,
        headers: list[tuple[str, str]],
        unread: UnreadBytes,
    ) -> None:
        """`headers`: in addition to those of the stream."""
        self._exchange = exchange
        self._headers = [*headers, *listens.headers.items(), ("Content-Type", EVENTS)]
        self._start = start_of(listens.known_as)
        self.listens = listens
        self._counts_tokens = listens.counts_tokens
        self._unread = unread
        self._stream: ResponseStream | None = None
        self._counted = 0
        self._sent_at = time.monotonic()
        self.has_text = False
        """Whether a piece was sent."""
        self.over: asyncio.Future[AskOnceError | None] = asyncio.get_running_loop().create_future()
        """Done at the end of the stream, with the reason if it is not the end of the answer."""

    @property
    def has_begun(self) -> bool:
        """Whether the head was sent."""
        return self._stream is not None

    @property
    def ends_by_pieces(self) -> bool:
        """Whether the last pieces are its end, which may come later than that of the job."""
        return self.has_text and self.listens.voice is None

    @property
    def quiet_seconds(self) -> float:
        """How long it may be before a comment is due."""
        return max(0.0, self._sent_at + COMMENT_SECONDS - time.monotonic())

    def pieces(self, pieces: Sequence[Piece]) -> None:
        """Send the next pieces of the answer."""
        if self.listens.voice is not None:
            events = self.listens.voice.pieces(pieces)
        else:
            rests = (piece.counted if self._counts_tokens else piece.plain for piece in pieces)
            events = b"".join([self._start + rest for rest in rests if rest is not None])
        self.has_text = self.has_text or bool(events)
        self._send(events)

    def whole(self) -> None:
        """End the stream properly, unless its end is made of the whole answer: that comes with the job's end."""
        if self.listens.voice is not None:
            return
        self._send(DONE)
        self._end(None)

    def lost(self) -> None:
        """End the stream with an error: the rest of its answer will not come."""
        self.fail(StreamInterrupted())

    def fail(self, error: AskOnceError) -> None:
        """End the stream with this error."""
        self._fail(in_openai_shape(error_reply(error)), error)

    def finish(self, reply: Reply) -> None:
        """End a stream with what the client would have got without one: pieces, unless some were sent, or an error."""
        if self.listens.voice is not None and reply.media_type == EVENTS:
            self._send(self.listens.voice.rest(reply.body))
            self._end(None)
        elif self.has_text and reply.media_type == EVENTS:
            self.lost()
        elif reply.media_type == EVENTS:
            self._send(reply.body)
            self._end(None)
        else:
            self._fail(reply, StreamInterrupted())

    def comment(self) -> None:
        """Send a comment."""
        self._send(COMMENT)

    def close(self) -> None:
        """Count its bytes no longer, and let the response end."""
        self._unread.give_back(self._counted)
        self._counted = 0
        if self._stream is not None:
            self._stream.end()

    def _fail(self, reply: Reply, error: AskOnceError) -> None:
        voice = self.listens.voice
        self._send(error_event(reply.body) if voice is None else voice.error(reply.body))
        self._end(error)

    def _end(self, error: AskOnceError | None) -> None:
        if not self.over.done():
            self.over.set_result(error)

    def _send(self, data: bytes) -> None:
        if self.over.done() or not data:
            return
        self._sent_at = time.monotonic()
        if self._stream is None:
            self._stream = self._exchange.begin(200, self._headers)
        if self._counts(self._stream.unread + len(data) - FREE_BYTES):
            self._stream.send(data)
        else:
            self._end(Overloaded())

    def _counts(self, unread: int) -> bool:
        """Count as many bytes as unread from now on; return False if these are too many."""
        more = max(0, unread) - self._counted
        if more > 0 and not self._unread.take(more):
            return False
        if more < 0:
            self._unread.give_back(-more)
        self._counted += more
        return True
