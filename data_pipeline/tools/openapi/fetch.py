"""A document from an http(s) URL, within a size and a time. Importing this imports httpx."""

from __future__ import annotations

import base64
from urllib.parse import unquote

import httpcore
import httpx

from data_pipeline.core.errors import InputError
from data_pipeline.tools.openapi.answer import BrokenContentError, TooLargeError, read_body
from data_pipeline.tools.openapi.location import user_of, without_secrets, without_user
from data_pipeline.tools.openapi.security import Credentials
from data_pipeline.tools.openapi.transport import Deadline, DeniedError, Gate, address, exchange


def fetch(url: str, max_bytes: int, seconds: float) -> tuple[bytes, str]:
    """The content, and the URL it came from after redirects.

    A user and password in the URL are sent to its own server, and kept nowhere.

    Raises:
        InputError: it cannot be fetched; the message holds no credentials.
    """
    shown = without_secrets(url)
    try:
        plain = without_user(url)
        user = unquote(user_of(url))
        headers = {"Authorization": f"Basic {base64.b64encode(user.encode()).decode()}"} if user else {}
        context = httpx.create_ssl_context(trust_env=False)
        server = address(httpx.URL(plain))
        gate = Gate(Deadline(seconds), lambda target: True, Credentials(headers=headers), server, context)
        accept = [(b"Accept", b"application/json, application/yaml, */*;q=0.5")]
        with exchange(gate, "GET", plain, accept) as (response, ended):
            if response.status_code != 200 or not ended:
                raise InputError(f"{shown}: the server answered HTTP {response.status_code}; check the URL")
            return read_body(response, max_bytes), str(response.url)
    except TooLargeError as error:
        raise InputError(f"{shown}: larger than {max_bytes >> 20} MB; take out the part that is needed") from error
    except (httpcore.TimeoutException, TimeoutError) as error:
        raise InputError(
            f"{shown}: no whole answer within {seconds:g} s; fetch it by hand and give the file"
        ) from error
    except (httpx.HTTPError, httpx.InvalidURL, DeniedError, BrokenContentError, *_FAILURES) as error:
        raise InputError(f"{shown}: cannot be fetched ({type(error).__name__}); check the URL") from error


_FAILURES = (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol, UnicodeError)
