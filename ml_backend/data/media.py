"""Guarded download of what a task points to: pictures, .npy vectors, texts.

Threats stopped here (addresses.py stops the first): addresses inside the firewall, also through redirects; files of
this machine (`file:`, `../`, links out of the allowed folder); servers that send for ever, slowly, or more than they
said; the Label Studio token leaking to another server or being used for its API. Nothing is written to disk.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from urllib.parse import SplitResult, unquote, unquote_to_bytes, urljoin, urlsplit

import requests
from urllib3.exceptions import HTTPError

from ml_backend.data.addresses import ForbiddenAddress, GuardedAdapter
from ml_backend.data.deadline import Deadline
from ml_backend.errors import LabelStudioError, MediaError

Fetcher = Callable[[str], bytes]
"""Address -> content. Raises MediaError."""

MAX_BYTES = 16 * 1024 * 1024
TIMEOUT_SECONDS = 20.0
"""Of one download in all: connecting, waiting, redirects and receiving."""
MAX_REDIRECTS = 5

_CHUNK_BYTES = 16 * 1024
_LOCAL_SUFFIXES = (".npy", ".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".txt", ".html", ".htm")
_MEDIA_PATH = re.compile(r"/data/|/storage-data/uploaded/|/(tasks|projects)/\d+/(resolve|presign)/", re.ASCII)
"""Where Label Studio serves media: the token is sent to paths that begin so only, not to its API or its pages."""
_MOST_QUOTINGS = 5
"""An address that is percent-encoded more often than this is up to something."""


def fetch_media(address: str, fetch: Fetcher | None) -> bytes:
    """Content at an address; `data:` addresses are decoded here, the rest is the fetcher's. Raises MediaError."""
    if address[:5].lower() == "data:":
        return read_data_uri(address)
    if fetch is None:
        raise MediaError("its content lies at an address, and there is nothing here to download it with")
    return fetch(address)


def read_data_uri(address: str) -> bytes:
    """Content of a `data:` address, base64 or percent-encoded (RFC 2397). Raises MediaError."""
    head, comma, body = address.partition(",")
    if not comma:
        raise MediaError("its data: address has no comma")
    if len(body) > 2 * MAX_BYTES:
        raise MediaError(f"its data: address is longer than {MAX_BYTES:,} bytes")
    if not head.lower().endswith(";base64"):
        return unquote_to_bytes(body)
    try:
        return base64.b64decode("".join(unquote(body).split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise MediaError("its data: address is no valid base64") from error


class MediaFetcher:
    """A Fetcher over HTTP(S), Label Studio's relative addresses and (where allowed) files under one folder. Safe for
    threads.

    label_studio_url: its base address; relative addresses are resolved against it, and it alone may be private and gets
    the token. authorise: headers for Label Studio, asked for at each use, so a short-lived token stays fresh.
    max_bytes, timeout_seconds: caps of one download in all. allow_private: let other servers be private or loopback
    too. local_root: folder whose files may be read by path or `file:`; None refuses all files.
    """

    def __init__(
        self,
        label_studio_url: str | None = None,
        authorise: Callable[[], dict[str, str]] | None = None,
        *,
        max_bytes: int = MAX_BYTES,
        timeout_seconds: float = TIMEOUT_SECONDS,
        allow_private: bool = False,
        local_root: Path | None = None,
    ) -> None:
        self._base = label_studio_url.rstrip("/") if label_studio_url else None
        self._authorise = authorise
        self._max_bytes = max_bytes
        self._timeout_seconds = timeout_seconds
        self._allow_private = allow_private
        self._local_root = local_root

    def __call__(self, address: str) -> bytes:
        """Content at the address. Raises MediaError; no byte is kept after a failure."""
        if address[:5].lower() == "data:":
            return read_data_uri(address)
        path = self._local_path(address)
        return self._read_local(path) if path else self._download(self._absolute(address))

    def _absolute(self, address: str) -> str:
        scheme = address.partition(":")[0].lower()
        if scheme in ("http", "https"):
            return address
        if address.startswith("/") and not address.startswith("//"):
            if self._base is None:
                raise MediaError(f"its address {address[:80]!r} is relative to Label Studio: set LABEL_STUDIO_URL")
            prefix = urlsplit(self._base).path
            return self._base + (
                address.removeprefix(prefix) if prefix and address.startswith(prefix + "/") else address
            )
        raise MediaError(f"its address {address[:80]!r} is neither http(s), nor data:, nor a path of Label Studio")

    def _download(self, url: str) -> bytes:
        deadline = Deadline(self._timeout_seconds)
        try:
            for _ in range(MAX_REDIRECTS + 1):
                request = self._prepared(url)
                target = urlsplit(request.url or "")
                with self._session(target, deadline) as session, self._get(session, request, deadline) as response:
                    if not response.is_redirect:
                        return self._receive(response, deadline)
                    url = urljoin(url, response.headers["Location"])
                if urlsplit(url).scheme not in ("http", "https"):
                    raise MediaError("its address redirects to something else than http(s)")
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            raise self._explain(error, deadline) from error
        finally:
            deadline.close()
        raise MediaError(f"its address redirects more than {MAX_REDIRECTS} times")

    def _prepared(self, url: str) -> requests.PreparedRequest:
        """All rules judge its address as it is called: of `http://a\\@b/` one library takes a for the host, one b."""
        headers = {**requests.utils.default_headers(), "Accept-Encoding": "identity", "Connection": "close"}
        request = requests.Request("GET", url, headers=headers).prepare()
        target = urlsplit(request.url or "")
        if "@" in target.netloc:
            raise MediaError("its address holds a user name or password, which is refused")
        if self._is_label_studio(target) and _climbs(target.path):
            raise MediaError("its address leads out of the folder that it names ('..'), which is refused")
        if self._authorise and self._takes_token(target):
            request.headers.update(self._token_headers(self._authorise))
        return request

    def _get(
        self, session: requests.Session, request: requests.PreparedRequest, deadline: Deadline
    ) -> requests.Response:
        return session.send(request, stream=True, allow_redirects=False, timeout=deadline.left())

    def _token_headers(self, authorise: Callable[[], dict[str, str]]) -> dict[str, str]:
        try:
            return authorise()
        except LabelStudioError as error:
            raise MediaError("Label Studio gives no access token to fetch its media with") from error

    def _takes_token(self, target: SplitResult) -> bool:
        if not self._is_label_studio(target):
            return False
        prefix = urlsplit(self._base or "").path
        return target.path.startswith(prefix) and bool(_MEDIA_PATH.match(target.path, len(prefix)))

    def _is_label_studio(self, target: SplitResult) -> bool:
        return self._base is not None and _origin(target) == _origin(urlsplit(self._base))

    def _session(self, target: SplitResult, deadline: Deadline) -> requests.Session:
        """One session a request: its rules depend on the target, and nothing is carried over to the next."""
        private = self._allow_private or self._is_label_studio(target)
        session = requests.Session()
        # A proxy would connect in our place, past the rules; .netrc would add credentials.
        session.trust_env = False
        for scheme in ("http://", "https://"):
            session.mount(scheme, GuardedAdapter(allow_private=private, on_connect=deadline.watch))
        return session

    def _receive(self, response: requests.Response, deadline: Deadline) -> bytes:
        if response.status_code != 200:
            raise MediaError(f"its address answers HTTP {response.status_code}")
        content = bytearray()
        too_large = MediaError(f"its content is larger than {self._max_bytes:,} bytes")
        announced = int(response.headers.get("Content-Length", "0"))
        if announced < 0:
            raise MediaError("its address announces a negative length")
        if announced > self._max_bytes:
            raise too_large
        for chunk in response.iter_content(_CHUNK_BYTES):
            content += chunk
            if len(content) > self._max_bytes:
                raise too_large
            deadline.check()
        deadline.check()
        return bytes(content)

    def _explain(self, error: Exception, deadline: Deadline) -> MediaError:
        if deadline.passed():
            return MediaError(f"its address did not deliver within {self._timeout_seconds:g} seconds")
        cause: BaseException | None = error
        while cause is not None:
            reason = getattr(cause, "reason", None) or next(
                (a for a in cause.args if isinstance(a, BaseException)), None
            )
            if isinstance(cause, ForbiddenAddress):
                return MediaError(f"its address is refused: {str(cause).partition(': ')[2]} (allow_private)")
            cause = reason
        return MediaError(f"its address cannot be reached ({type(error).__name__})")

    def _local_path(self, address: str) -> Path | None:
        """The file that an address means, judged after links are followed; None when it means no file."""
        is_file_scheme = address[:5].lower() == "file:"
        if self._local_root is None:
            if is_file_scheme:
                raise MediaError("its address is a file of this machine, which is refused: no folder is allowed")
            return None
        try:
            text = unquote(urlsplit(address).path) if is_file_scheme else address
            if "://" in text or "\0" in text:
                return None
            root = self._local_root.resolve()
            path = (root / text).resolve()
        except (OSError, ValueError, RuntimeError) as error:  # too long, no address, links that lead in a circle
            raise MediaError("its file cannot be found") from error
        if path.is_relative_to(root):
            return path
        if is_file_scheme or not text.startswith("/"):
            raise MediaError("its file lies outside the folder that is allowed")
        return None

    def _read_local(self, path: Path) -> bytes:
        if path.suffix.lower() not in _LOCAL_SUFFIXES:
            raise MediaError(f"its file is none of {', '.join(_LOCAL_SUFFIXES)}")
        try:
            # Not blocking: a named pipe would make us wait for its writer.
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        except OSError as error:
            raise MediaError(f"its file {path.name!r} cannot be opened: {error.strerror}") from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise MediaError(f"{path.name!r} is no file")
        with os.fdopen(descriptor, "rb") as file:
            content = file.read(self._max_bytes + 1)
        if len(content) > self._max_bytes:
            raise MediaError(f"its file is larger than {self._max_bytes:,} bytes")
        return content


def _climbs(path: str) -> bool:
    """Whether it holds a `..`, however it is wrapped: the server, or a proxy before it, unwraps it and follows it."""
    for _ in range(_MOST_QUOTINGS):
        plain = unquote(path)
        if plain == path:
            return ".." in re.split(r"[/\\]", path)
        path = plain
    return True


def _origin(url: SplitResult) -> tuple[str, str, int | None]:
    return (
        url.scheme.lower(),
        (url.hostname or "").lower(),
        url.port or {"http": 80, "https": 443}.get(url.scheme.lower()),
    )
