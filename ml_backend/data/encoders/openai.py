"""Embeddings from any server that speaks OpenAI's API (Ollama, vLLM, TEI, OpenAI itself), through `requests`.

Source: OpenAI API reference, "Create embeddings": POST {base}/embeddings {"model", "input": [texts]} -> {"data":
[{"index", "embedding"}]}. The key goes into the Authorization header of that address only: redirects are not followed.
"""

from __future__ import annotations

import email.utils
import time
from collections.abc import Sequence

import numpy as np
import requests

from ml_backend.data.cache import Array
from ml_backend.data.encoders.base import EncoderOptions, Item, Value, finite_vectors, other_dimension
from ml_backend.data.records import Unreadable
from ml_backend.data.source import SourceKind
from ml_backend.errors import ConfigError, EncoderUnavailable, EncodingError

_RETRIED = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
_REFUSED_INPUT = frozenset({400, 413, 422})
_FIRST_WAIT_SECONDS = 0.5
_DETAIL_CHARACTERS = 200


class OpenAIEncoder:
    """One model of one embedding service; L2-normalised.

    Raises ConfigError if the address is missing or the service refuses the key or the model, EncoderUnavailable if it
    does not answer after `max_attempts`. A text that the service refuses (too long, ...) is Unreadable; the others of
    its batch go on.
    """

    kind: SourceKind = "text"

    def __init__(self, model: str, options: EncoderOptions) -> None:
        if not options.embeddings_url:
            raise ConfigError(f"encoder openai:{model} needs the address of the service: set LANTERN_EMBEDDINGS_URL")
        self.name = f"openai:{model}"
        self.batch = options.batch_size
        self._model = model
        self._options = options
        base = options.embeddings_url.rstrip("/")
        self._url = base if base.endswith("/embeddings") else f"{base}/embeddings"
        self._session = requests.Session()
        if options.embeddings_api_key:
            self._session.headers["Authorization"] = f"Bearer {options.embeddings_api_key}"

    def encode(self, items: Sequence[Item]) -> list[Value]:
        """Items: texts."""
        texts = [str(item) for item in items]
        size = self.batch
        return [value for start in range(0, len(texts), size) for value in self._embed(texts[start : start + size])]

    def conform(self, value: Array, shape: tuple[int, ...]) -> Value:
        """A vector of another dimension means another model."""
        return other_dimension(value, shape)

    def _embed(self, texts: list[str]) -> list[Value]:
        """Halves a refused batch until the text that is to blame stands alone."""
        response = self._post(texts)
        if response.status_code not in _REFUSED_INPUT:
            return _vectors(response, len(texts))
        if len(texts) == 1:
            return [Unreadable(f"the embedding service refuses its text: {_detail(response)}")]
        middle = len(texts) // 2
        return self._embed(texts[:middle]) + self._embed(texts[middle:])

    def _post(self, texts: list[str]) -> requests.Response:
        reason = ""
        for attempt in range(self._options.max_attempts):
            try:
                response = self._session.post(
                    self._url,
                    json={"model": self._model, "input": texts, "encoding_format": "float"},
                    timeout=self._options.timeout_seconds,
                    allow_redirects=False,
                )
            except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
                reason, asked = type(error).__name__, None
            except requests.RequestException as error:
                raise ConfigError(
                    f"the embedding service address {self._url!r} cannot be used: {type(error).__name__}"
                ) from error
            else:
                if response.status_code not in _RETRIED:
                    self._check(response)
                    return response
                reason, asked = f"HTTP {response.status_code} {_detail(response)}", response.headers.get("Retry-After")
            if attempt + 1 < self._options.max_attempts:
                self._options.sleep(self._wait(attempt, asked))
        raise EncoderUnavailable(
            f"the embedding service {self._url} failed {self._options.max_attempts} times: {reason}"
        )

    def _wait(self, attempt: int, asked: str | None) -> float:
        """Seconds before the next try: what the service asks for, else 0.5, 1, 2, 4, ..."""
        seconds = _retry_after_seconds(asked) if asked else None
        if seconds is None:
            seconds = _FIRST_WAIT_SECONDS * 2.0**attempt
        return min(seconds, self._options.max_wait_seconds)

    def _check(self, response: requests.Response) -> None:
        status = response.status_code
        if status in (401, 403):
            raise ConfigError(
                f"the embedding service refuses the key (HTTP {status}): check LANTERN_EMBEDDINGS_API_KEY"
            )
        if status == 404:
            raise ConfigError(
                f"no model {self._model!r} or no such address {self._url}: check LANTERN_EMBEDDINGS_URL "
                f"(it ends with /v1) and the model's name. {_detail(response)}"
            )
        if (not response.ok and status not in _REFUSED_INPUT) or 300 <= status < 400:
            raise ConfigError(f"the embedding service {self._url} answers HTTP {status}: {_detail(response)}")


def _retry_after_seconds(value: str) -> float | None:
    """Retry-After as seconds: a number, or an HTTP date (RFC 9110, 10.2.3)."""
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


def _detail(response: requests.Response) -> str:
    """The service's own words, shortened."""
    try:
        body = response.json()
        error = body.get("error", body) if isinstance(body, dict) else body
        words = error.get("message", error) if isinstance(error, dict) else error
    except requests.JSONDecodeError:
        words = response.text
    return " ".join(str(words).split())[:_DETAIL_CHARACTERS]


def _vectors(response: requests.Response, n: int) -> list[Value]:
    """Vectors in the order of the texts; replies may come in any order, each with its index."""
    try:
        data = response.json()["data"]
        by_index = {int(entry["index"]): entry["embedding"] for entry in data}
        rows = [np.asarray(by_index[i], dtype=np.float64) for i in range(n)]
        if len(data) != n or len({row.shape for row in rows}) != 1 or rows[0].ndim != 1 or rows[0].size < 2:
            raise ValueError(f"{len(data)} vectors for {n} texts, shapes {sorted({row.shape for row in rows})[:3]}")
    except (KeyError, TypeError, ValueError) as error:
        raise EncodingError(
            f"the embedding service answers something else than {n} vectors: {str(error)[:200]}"
        ) from error
    return finite_vectors(np.stack(rows), normalise=True)
