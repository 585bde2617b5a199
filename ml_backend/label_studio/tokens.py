"""Label Studio's two kinds of token, and the header that each of them needs.

A personal access token is a refresh JWT: it is exchanged for a Bearer that lasts five minutes. A legacy token goes
into the header as it is, and works only where the organization allows it. The exchange is label-studio-sdk's; here is
what it leaves open: a token of the wrong sort, and an answer that is no JSON.
"""

from __future__ import annotations

import threading
from enum import StrEnum
from typing import Any

import httpx
import jwt
from label_studio_sdk.client import LabelStudio
from label_studio_sdk.core.api_error import ApiError

from ml_backend.errors import LabelStudioAuthError, LabelStudioUnreachable

WHERE_PERSONAL = (
    "make one in Label Studio under Account & Settings > Personal Access Token and run `lantern connect` with it, as "
    "--token or LABEL_STUDIO_API_KEY"
)
WHERE_LEGACY = (
    "copy it whole, from this Label Studio's account page; legacy tokens must be switched on under Organization > "
    "Access Token Settings, a personal access token works without"
)


class TokenKind(StrEnum):
    """How a token is written: a JWT has three parts with dots between."""

    PERSONAL = "personal access token"
    LEGACY = "legacy token"


def token_kind(token: str) -> TokenKind:
    """By its form alone; nothing is checked."""
    return TokenKind.PERSONAL if token.count(".") == 2 else TokenKind.LEGACY


class Token:
    """One token of one Label Studio. Safe for threads; never shows itself in repr, errors or logs."""

    def __init__(self, url: str, token: str, http: httpx.Client) -> None:
        self.kind = token_kind(token)
        self._url = url
        self._lock = threading.Lock()
        if self.kind is TokenKind.PERSONAL:
            _check_refresh_token(token)
        try:
            # The SDK joins its refresh path with urljoin, which needs the slash under a sub-path.
            sdk = LabelStudio(base_url=url.rstrip("/") + "/", api_key=token, httpx_client=http, max_retries=0)
        except ApiError as error:
            raise LabelStudioAuthError(f"the personal access token has expired: {WHERE_PERSONAL}") from error
        # The SDK offers no public door to its exchange; label-studio-ml uses this one as well.
        self._sdk_tokens: Any = sdk._client_wrapper._tokens_client

    def header(self) -> dict[str, str]:
        """The Authorization header of now; exchanges the token when the Bearer is missing or has expired.

        Raises LabelStudioAuthError when the exchange is refused, LabelStudioUnreachable when there is no answer.
        """
        if self.kind is TokenKind.LEGACY:
            return {"Authorization": f"Token {self._sdk_tokens.api_key}"}
        try:
            return {"Authorization": f"Bearer {self._sdk_tokens.api_key}"}
        except ApiError as error:
            raise self._exchange_error(error.status_code or 0) from error
        except httpx.HTTPError as error:
            raise LabelStudioUnreachable(
                f"no answer from {self._url} to the token exchange ({type(error).__name__}): is Label Studio running?"
            ) from error
        except ValueError as error:  # the SDK reads the body as JSON whatever it is
            raise LabelStudioUnreachable(
                "the answer to the token exchange is no JSON: is this Label Studio?"
            ) from error

    def forget_access(self) -> bool:
        """Drop the Bearer, because Label Studio refused it; False when there is none to renew."""
        if self.kind is TokenKind.LEGACY:
            return False
        with self._lock:
            had = self._sdk_tokens._access_token is not None
            self._sdk_tokens._access_token = None
        return had

    def _exchange_error(self, status: int) -> LabelStudioAuthError | LabelStudioUnreachable:
        if status >= 500:
            return LabelStudioUnreachable(f"Label Studio answered the token exchange with {status}")
        return LabelStudioAuthError(
            f"Label Studio refused the personal access token ({status}): it was revoked or belongs to another "
            f"server; {WHERE_PERSONAL}"
        )

    def __repr__(self) -> str:
        return f"Token({self.kind})"


def _check_refresh_token(token: str) -> None:
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError as error:
        raise LabelStudioAuthError(
            f"the token has three parts like a personal access token but is none: copy it whole, or {WHERE_PERSONAL}"
        ) from error
    if claims.get("token_type") == "access":
        raise LabelStudioAuthError(f"this is a five-minute access token, not a personal access token: {WHERE_PERSONAL}")
