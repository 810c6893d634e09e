"""Downloads pictures from clients' URLs, without giving clients access to our network.

microsoft-antissrf checks the addresses. It checks all addresses of a name, and connects to the address that it has
checked, so that a second DNS answer can't differ. It denies more ranges than requests-hardened, which checks the first
address only and allows Azure's wire server. By itself it adds `X-Forwarded-For`, allows addresses in ::/96, has no
limits of time and size, and follows any redirect: this module corrects that. It sends `Host` without a port, which is
right for the two ports that we allow.
"""

import socket
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import requests
from AntiSSRF import AntiSSRFError, AntiSSRFPolicy, PolicyConfigOptions

from shared.domain.inputs import WrongValue
from shared.domain.picture_urls import NOT_PUBLIC, check_picture_url, is_exempt
from shared.jobs.errors import ImageForbidden, ImageTooLarge, ImageUnreachable, PictureError
from workers.jobs.stop import Stop
from workers.outbound.body_limit import BodyTooLarge
from workers.outbound.deadline import within
from workers.outbound.requests_session import read, send, under_deadline

MAX_REDIRECTS = 3

_REDIRECTS = (301, 302, 303, 307, 308)
_WORTH_ANOTHER_TRY = (408, 425, 429)
_SERVER_ERROR = 500
_HEADERS = {"User-Agent": "AskOnce", "Accept": "image/*", "Accept-Encoding": "identity"}


class ImageTemporarilyUnreachable(ImageUnreachable):
    """The picture can't be downloaded at the moment."""

    retryable = True


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a download.

    `max_bytes`: after decoding. `seconds`: by the wall clock. `allow`: pairs of host and port whose addresses are not
    checked.
    """

    max_bytes: int
    seconds: float
    allow: tuple[tuple[str, int], ...]


def download(url: str, limits: Limits, stop: Stop | None = None) -> bytes:
    """Return the bytes at `url`. Follows at most 3 redirects, and checks each address like the first one.

    Raises ImageForbidden, ImageTooLarge, ImageUnreachable, ImageTemporarilyUnreachable if another try may help, and
    ClaimLost as soon as `stop` is set.
    """
    try:
        return within(limits.seconds, lambda: _follow(url, limits), stop)
    except (TimeoutError, requests.Timeout) as err:
        message = f"The picture did not arrive within {limits.seconds:g} s."
        raise ImageTemporarilyUnreachable(message) from err
    except AntiSSRFError as err:
        message = "The picture's address is not a public one."
        raise ImageForbidden(message) from err
    except BodyTooLarge as err:
        message = f"The picture has more than {limits.max_bytes} bytes."
        raise ImageTooLarge(message) from err
    except (socket.gaierror, UnicodeError) as err:
        raise _unknown_name(err) from err
    except requests.RequestException as err:
        raise _broken(err) from err


def _follow(url: str, limits: Limits) -> bytes:
    for _ in range(MAX_REDIRECTS + 1):
        _check(url, limits)
        with (
            _session(url, limits) as session,
            send(session, requests.Request("GET", url, headers=_HEADERS)) as response,
        ):
            if response.status_code not in _REDIRECTS:
                return _body(response, limits)
            url = _target(url, response.headers.get("Location", ""))
    message = f"The picture's address redirects more than {MAX_REDIRECTS} times."
    raise ImageUnreachable(message)


def _target(url: str, location: str) -> str:
    if not location:
        message = "The picture's address redirects without saying where to."
        raise ImageUnreachable(message)
    # requests decodes headers as Latin-1, but addresses in them are in UTF-8.
    try:
        return urljoin(url, location.encode("latin-1").decode())
    except ValueError as err:
        message = "The picture's address redirects to what is no address."
        raise ImageUnreachable(message) from err


def _check(url: str, limits: Limits) -> None:
    try:
        check_picture_url(url, limits.allow)
    except WrongValue as err:
        message = f"The picture's address, or one it redirects to, {err.detail}."
        raise ImageForbidden(message) from err


def _session(url: str, limits: Limits) -> requests.Session:
    if is_exempt(urlsplit(url), limits.allow):
        return under_deadline(requests.Session())
    policy = AntiSSRFPolicy(PolicyConfigOptions.EXTERNAL_ONLY_LATEST)
    policy.add_denied_addresses(list(NOT_PUBLIC))
    policy.allow_plain_text_http = True
    policy.add_xff_header = False
    session: requests.Session = policy.get_antissrf_session()
    return under_deadline(session)


def _body(response: requests.Response, limits: Limits) -> bytes:
    status = response.status_code
    if status == requests.codes.ok:
        return read(response, limits.max_bytes)
    message = f"The picture's server answered {status}."
    if status >= _SERVER_ERROR or status in _WORTH_ANOTHER_TRY:
        raise ImageTemporarilyUnreachable(message)
    raise ImageUnreachable(message)


def _unknown_name(err: socket.gaierror | UnicodeError) -> PictureError:
    message = "The picture's host name can't be resolved."
    if isinstance(err, socket.gaierror) and err.errno == socket.EAI_AGAIN:
        return ImageTemporarilyUnreachable(message)
    return ImageUnreachable(message)


def _broken(err: requests.RequestException) -> PictureError:
    passing = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)
    if isinstance(err, passing) and not isinstance(err, requests.exceptions.SSLError):
        return ImageTemporarilyUnreachable("The picture's server can't be reached or broke off its answer.")
    return ImageUnreachable("The picture's server did not answer as a web server should.")
