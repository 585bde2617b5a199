"""Vectors, words and pictures: what is encoded, and what is refused with which reason."""

from __future__ import annotations

import io
import logging
import subprocess
import sys
import types
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageFile

from ml_backend.data.encoders import EncoderOptions, Unreadable, build_encoder, words
from ml_backend.data.encoders.vector import VectorEncoder, read_npy
from ml_backend.data.encoders.words import WordLlamaEncoder
from ml_backend.data.pictures import fit_picture, read_picture, to_data_uri, to_png
from ml_backend.errors import ConfigError, EncodingError
from tests.data.encoded import vector, vectors


def with_header(header: bytes) -> bytes:
    """A .npy file that says this of itself."""
    line = header.ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(line).to_bytes(2, "little") + line + b"\0" * 64


def npy(array: object) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.asarray(array), allow_pickle=True)
    return stream.getvalue()


def reason(value: object) -> str:
    assert isinstance(value, Unreadable), f"{value!r} should have been refused"
    return value.reason


# Vectors


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=2, max_size=20))
def test_vectors_come_out_as_given(numbers: list[float]) -> None:
    as_list, as_file, as_row = VectorEncoder().encode([list(numbers), npy(numbers), npy([numbers])])
    for value in (as_list, as_file, as_row):
        assert isinstance(value, np.ndarray)
        assert value.dtype == np.float32
        np.testing.assert_array_equal(value, np.array(numbers, dtype=np.float32))


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ([1.0, float("nan")], "NaN or infinity"),
        ([1.0, 1e300], "NaN or infinity"),
        ([1, 10**400], "too large"),
        ([1.0, "2"], "no number"),
        ([[1.0], [2.0]], "no number"),
        ([True, False], "no number"),
        ([1.0], "shape"),
        ([0.0] * 20_000, "shape"),
        (npy([[1.0, 2], [3, 4]]), "shape"),
        (npy(["a", "b"]), "not of numbers"),
        (npy([1 + 2j, 3]), "not of numbers"),
        (npy([float("inf"), 1]), "NaN or infinity"),
        (b"not a file", "cannot be read"),
        (b"", "cannot be read"),
        (npy(np.arange(100.0))[:-8], "shorter than its header"),
        (with_header(b"(" * 2000), "cannot be read"),
        (with_header(b"{[]: 1}"), "cannot be read"),
        (with_header(b"{'descr': 7, 'fortran_order': False, 'shape': (2,)}"), "cannot be read"),
    ],
)
def test_bad_vectors_are_refused_one_by_one(item: bytes | list[object], words: str) -> None:
    good, bad = VectorEncoder().encode([[1.0, 2.0], item])
    assert isinstance(good, np.ndarray)
    assert words in reason(bad)


def test_an_npy_header_that_claims_a_terabyte_allocates_nothing() -> None:
    with pytest.raises(EncodingError, match="shorter"):
        read_npy(with_header(b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }"))


class Bomb:
    """Would create a file when unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


def test_a_pickle_bomb_in_an_npy_is_refused_and_never_runs(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    content = npy(np.array([Bomb(marker), None], dtype=object))
    assert "Python objects" in reason(VectorEncoder().encode([content])[0])
    assert not marker.exists()


def test_a_vector_of_another_dimension_names_both() -> None:
    assert reason(VectorEncoder().conform(np.zeros(3, np.float32), (384,))) == (
        "its vector has 3 numbers, the project's vectors have 384"
    )


# Words


def test_words_give_unit_vectors_that_follow_meaning_whatever_the_batch() -> None:
    texts = ["the battery is low", "charge your battery, power is low", "the parcel was delivered " * 50, "x"]
    encoder = WordLlamaEncoder()
    together = vectors(encoder.encode(texts))
    alone = vectors(value for text in texts for value in encoder.encode([text]))
    assert together.shape == (4, 256)
    assert together.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1.0, rtol=1e-5)
    np.testing.assert_array_equal(together, alone)
    similar = together @ together.T
    assert similar[0, 1] > similar[0, 2] + 0.2


def test_copies_of_a_text_are_equal_to_the_last_digit_whatever_is_encoded_beside_them() -> None:
    text, others = "the battery of sensor kitchen is low", ["x", "the parcel was delivered " * 40, "na\u00efve \u2603"]
    first, *_, last = vectors(WordLlamaEncoder().encode([text, *others, "sensor   kitchen", text]))
    np.testing.assert_array_equal(first, last)


def test_a_word_speaks_alike_whether_it_is_one_piece_or_twelve() -> None:
    """Else a long name says more than all the words around it."""
    message = "{}: the scheduler told me to run this job; however, the start time has not come yet"
    names = ["com.apple.icloud.fmfd.heartbeat", "com.apple.CacheDelete.daily", "com.apple.suggestions.harvest"]
    same = vectors(WordLlamaEncoder().encode([message.format(name) for name in names]))
    other = vectors(WordLlamaEncoder().encode([f"{names[0]}: connection to the printer was lost"]))
    alike = same @ same.T
    assert alike.min() > 0.85
    assert (same[0] @ other.T).item() < alike.min()


COMPLAINT = "\u5feb\u9012\u5df2\u7ecf\u4e09\u5929\u6ca1\u6709\u9001\u5230\uff0c\u8bf7\u5c3d\u5feb\u5904\u7406"
REVIEW = "\u8fd9\u90e8\u7535\u5f71\u7684\u6f14\u5458\u8868\u73b0\u975e\u5e38\u51fa\u8272"
THAI = (
    "\u0e1e\u0e31\u0e2a\u0e14\u0e38\u0e22\u0e31\u0e07\u0e44\u0e21\u0e48"
    "\u0e21\u0e32\u0e16\u0e36\u0e07\u0e17\u0e35\u0e48\u0e1a\u0e49\u0e32\u0e19"
)


@pytest.mark.parametrize("sentence", [COMPLAINT, REVIEW, THAI])
def test_a_sentence_written_without_blanks_outweighs_two_english_words_behind_it(sentence: str) -> None:
    """Else it would be one word, and what follows it would say more than it does."""
    other = {COMPLAINT: REVIEW, REVIEW: COMPLAINT, THAI: COMPLAINT}[sentence]
    texts = [f"{sentence} order pending", f"{sentence} thanks regards", f"{other} order pending"]
    pending, regards, another = vectors(WordLlamaEncoder().encode(texts))
    assert pending @ regards > 0.8
    assert pending @ regards > pending @ another + 0.1


def test_full_width_marks_are_marks() -> None:
    plain, marked = vectors(WordLlamaEncoder().encode(["battery low", "\uff08battery\uff09\u3002low"]))
    assert plain @ marked > 0.6


@pytest.mark.parametrize("characters", [1, 40])
def test_a_text_has_the_same_vector_whatever_is_made_at_a_time(
    characters: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = ["the battery is low", "x", "the parcel was delivered " * 5, " ", "the battery is low"]
    whole = WordLlamaEncoder().encode(texts)
    monkeypatch.setattr(words, "_GROUP_CHARACTERS", characters)
    for one, other in zip(whole, WordLlamaEncoder().encode(texts), strict=True):
        if isinstance(one, np.ndarray):
            np.testing.assert_array_equal(one, other)
        else:
            assert isinstance(other, Unreadable)


def test_texts_without_words_are_unreadable_and_the_others_go_on() -> None:
    empty, good, blank = WordLlamaEncoder().encode(["", "battery", " \t"])
    assert isinstance(good, np.ndarray)
    assert isinstance(empty, Unreadable)
    assert isinstance(blank, Unreadable)


def test_loading_wordllama_needs_no_network_and_leaves_logging_alone() -> None:
    script = """
import logging, socket
def refuse(*a, **k): raise AssertionError("network used")
socket.socket.connect = socket.getaddrinfo = refuse
from ml_backend.data.encoders import build_encoder
(vector,) = build_encoder("text").encode(["hello"])
assert vector.shape == (256,), vector
assert logging.getLogger().handlers == [] and logging.getLogger().level == logging.WARNING
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# Sentence encoders


def test_a_missing_package_names_the_pip_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    encoder = build_encoder("sentence-transformers:all-MiniLM-L6-v2")
    with pytest.raises(ConfigError, match=r'pip install "lantern-ml-backend\[sentence-transformers\]"'):
        encoder.encode(["x"])


def test_a_model_that_cannot_be_loaded_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise OSError("no such model\nlong explanation")

    monkeypatch.setitem(sys.modules, "sentence_transformers", types.SimpleNamespace(SentenceTransformer=missing))
    with pytest.raises(ConfigError, match="'nowhere' cannot be loaded"):
        build_encoder("sentence-transformers:nowhere").encode(["x"])


def test_sentence_vectors_are_normalised_and_loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[str] = []

    class Model:
        def __init__(self, name: str, device: str | None) -> None:
            loads.append(f"{name} on {device}")

        def encode(self, texts: list[str], **_: object) -> NDArray[np.float32]:
            return np.array([[3.0, 4.0] if text else [np.nan, 0.0] for text in texts], dtype=np.float32)

    monkeypatch.setitem(sys.modules, "sentence_transformers", types.SimpleNamespace(SentenceTransformer=Model))
    encoder = build_encoder("sentence-transformers:m", EncoderOptions(device="cuda:1"))
    good, bad = encoder.encode(["x", ""])
    encoder.encode(["y"])
    build_encoder("sentence-transformers:n").encode(["z"])
    np.testing.assert_allclose(vector(good), [0.6, 0.8], rtol=1e-6)
    assert isinstance(bad, Unreadable)
    assert loads == ["m on cuda:1", "n on None"]
    assert encoder.name == "sentence-transformers:m"


# Pictures


def image_bytes(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


@pytest.mark.parametrize(("channels", "height", "width"), [(1, 28, 28), (3, 64, 64), (3, 5, 9), (1, 1, 2)])
def test_pictures_survive_png_and_back(channels: int, height: int, width: int) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (channels, height, width), dtype=np.uint8)
    (value,) = build_encoder("pixels").encode([to_png(picture)])
    np.testing.assert_array_equal(value, picture)
    assert to_data_uri(picture).startswith("data:image/png;base64,")


def test_other_modes_become_grey_or_colour() -> None:
    palette = Image.new("RGB", (4, 4), (200, 30, 30)).convert("P", palette=Image.Palette.ADAPTIVE)
    assert read_picture(image_bytes(palette)).shape == (3, 4, 4)
    assert read_picture(image_bytes(Image.new("1", (4, 4), 1))).tolist() == [[[255] * 4] * 4]
    assert read_picture(image_bytes(Image.new("RGBA", (2, 2), (0, 0, 0, 0)))).min() == 255, (
        "transparent lies over white"
    )
    deep = Image.fromarray(np.full((2, 2), 65535, dtype=np.uint16))
    assert read_picture(image_bytes(deep)).tolist() == [[[255, 255], [255, 255]]]
    assert read_picture(image_bytes(Image.new("CMYK", (2, 2)), "JPEG")).shape == (3, 2, 2)


def test_larger_pictures_name_the_way_out() -> None:
    (value,) = build_encoder("pixels").encode([image_bytes(Image.new("L", (65, 10)))])
    assert "65 x 10 pixels" in reason(value)
    assert "vector" in reason(value)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_decompression_bomb_is_judged_by_its_header(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = image_bytes(Image.new("1", (12_000, 12_000)), compress_level=9)
    assert len(bomb) < 200_000
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda *_: pytest.fail("pixels were decoded"))
    assert "12000 x 12000" in reason(build_encoder("pixels").encode([bomb])[0])
    header = (100_000).to_bytes(4, "big") * 2 + bomb[24:29]
    huge = bomb[:16] + header + zlib.crc32(b"IHDR" + header).to_bytes(4, "big") + bomb[33:]
    assert isinstance(build_encoder("pixels").encode([huge])[0], Unreadable)


@pytest.mark.parametrize(
    "content",
    [b"", b"GIF89a", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%!PS-Adobe-3.0 EPSF-3.0\n(x) run", b"\x89PNG\r\n"],
)
def test_what_is_no_picture_is_unreadable(content: bytes) -> None:
    assert isinstance(build_encoder("pixels").encode([content])[0], Unreadable)


def test_a_cut_off_picture_is_unreadable() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (3, 40, 40), dtype=np.uint8)
    whole = to_png(noise)
    assert "damaged" in reason(build_encoder("pixels").encode([whole[: len(whole) // 2]])[0])


def test_a_picture_of_another_shape_is_fitted_on_its_own_background() -> None:
    wide = np.full((1, 10, 20), 200, dtype=np.uint8)
    wide[0, 4:6, 8:12] = 0
    fitted = fit_picture(wide, (3, 20, 20))
    assert fitted.shape == (3, 20, 20)
    assert fitted.dtype == np.uint8
    np.testing.assert_array_equal(fitted[:, :5], 200)
    np.testing.assert_array_equal(fitted[0, 5:15], wide[0])
    np.testing.assert_array_equal(fitted[0], fitted[2])
    red = np.zeros((3, 8, 8), dtype=np.uint8)
    red[0] = 255
    assert fit_picture(red, (1, 8, 8)).tolist() == [[[76] * 8] * 8], "ITU-R 601-2 luma of pure red"


# Specs


@pytest.mark.parametrize("spec", ["sentence-transformers:", "openai:", "openai", "nothing", "pixels:9"])
def test_incomplete_and_unknown_specs_are_refused(spec: str) -> None:
    with pytest.raises(ConfigError):
        build_encoder(spec)


def test_names_are_stable_because_versions_and_caches_hold_them() -> None:
    assert [build_encoder(spec).name for spec in ("vector", "text", "pixels")] == ["vector", "wordllama256-5", "pixels"]
    assert logging.getLogger("ml_backend").handlers == []
