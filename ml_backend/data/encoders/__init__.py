"""Encoders by spec: vector | text | pixels | sentence-transformers:NAME | openai:MODEL."""

from __future__ import annotations

from ml_backend.data.encoders.base import Encoder, EncoderOptions
from ml_backend.data.encoders.openai import OpenAIEncoder
from ml_backend.data.encoders.pixels import PixelsEncoder
from ml_backend.data.encoders.sentence import SentenceTransformersEncoder
from ml_backend.data.encoders.vector import VectorEncoder
from ml_backend.data.encoders.words import WordLlamaEncoder
from ml_backend.data.records import Unreadable
from ml_backend.data.source import encoder_kind
from ml_backend.errors import ConfigError

__all__ = ["Encoder", "EncoderOptions", "Unreadable", "build_encoder"]


def build_encoder(spec: str, options: EncoderOptions | None = None) -> Encoder:
    """The encoder that a spec names. Heavy ones load at their first encode, not here.

    Raises ConfigError for an unknown spec, a missing package or a missing setting.
    """
    encoder_kind(spec)
    options = options or EncoderOptions()
    family, _, model = spec.partition(":")
    if spec == "vector":
        return VectorEncoder()
    if spec == "pixels":
        return PixelsEncoder()
    if family == "text":
        return WordLlamaEncoder()
    if not model:
        raise ConfigError(f"encoder {spec!r} lacks a model: write {family}:MODEL")
    if family == "openai":
        return OpenAIEncoder(model, options)
    return SentenceTransformersEncoder(model, device=options.device)
