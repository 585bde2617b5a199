"""Data-set files as benchmarks and users bring them, and what is said about the broken ones."""

from __future__ import annotations

import contextlib
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from ml_backend.data.dataset import Dataset, read_dataset
from ml_backend.data.digits import load_digits_dataset
from ml_backend.data.pictures import to_data_uri, to_png
from ml_backend.errors import InputError


def npz(folder: Path, **arrays: object) -> Path:
    path = folder / "data.npz"
    np.savez(path, allow_pickle=True, **{name: np.asarray(array) for name, array in arrays.items()})
    return path


def written(folder: Path, name: str, *lines: object) -> Path:
    path = folder / name
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines), encoding="utf-8")
    return path


# .npz


def test_vectors_texts_labels_and_splits(tmp_path: Path) -> None:
    x = np.arange(12, dtype=np.float16).reshape(4, 3)
    path = npz(tmp_path, x=x, text=["a", "b", "c", "d"], y=[3, 1, 2, 1], split=["train", "val", "test", "oos_test"])
    data = read_dataset(path)
    assert data.x is not None
    assert data.x.dtype == np.float32
    np.testing.assert_array_equal(data.x, x)
    assert (list(data.text or ()), data.images, len(data), data.name) == (["a", "b", "c", "d"], None, 4, "data")
    assert data.y is not None
    assert data.y.tolist() == ["3", "1", "2", ""], "labels of oos_ splits are hidden"
    assert data.pool_rows.tolist() == [0, 1]


@pytest.mark.parametrize(("shape", "channels"), [((5, 4, 6), 1), ((5, 4, 6, 3), 3), ((5, 4, 6, 1), 1)])
def test_uint8_stacks_are_pictures(tmp_path: Path, shape: tuple[int, ...], channels: int) -> None:
    x = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    data = read_dataset(npz(tmp_path, x=x))
    assert data.images is not None
    assert data.images.shape == (5, channels, 4, 6)
    assert data.images[2, channels - 1, 3, 1] == x.reshape(5, 4, 6, channels)[2, 3, 1, channels - 1]
    assert data.pool_rows.tolist() == [0, 1, 2, 3, 4]
    assert data.y is None


def test_a_text_only_file_and_labels_that_are_not_known(tmp_path: Path) -> None:
    data = read_dataset(npz(tmp_path, text=["a", ""], y=[1.0, np.nan]))
    assert list(data.text or ()) == ["a", ""]
    assert data.y is not None
    assert data.y.tolist() == ["1.0", ""]


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"y": [1, 2]}, "no array `x` or `text`"),
        ({"x": np.zeros((3, 2)), "y": [1, 2]}, "differ in length: x 3, y 2"),
        ({"x": np.zeros((0, 2))}, "no rows"),
        ({"x": np.zeros(4)}, r"shape \(4,\)"),
        ({"x": np.zeros((4, 1))}, r"shape \(4, 1\)"),
        ({"x": np.float64(3)}, "single value"),
        ({"x": [[1.0, 2], [np.nan, 1], [1, np.inf]]}, r"row 1 of `x` holds NaN or infinity \(2 such rows\)"),
        ({"x": [["a", "b"]]}, "expected numbers"),
        ({"x": np.zeros((2, 4, 4))}, "expected uint8 with 0..255"),
        ({"x": np.zeros((2, 65, 4), np.uint8)}, "4 x 65 pixels"),
        ({"x": np.zeros((2, 4, 4, 4), np.uint8)}, "C 1 or 3"),
        ({"x": np.zeros((2, 2, 4, 4, 3), np.uint8)}, "C 1 or 3"),
        ({"text": [["a"], ["b"]]}, r"`text` has shape \(2, 1\)"),
        ({"x": np.zeros((1, 2)), "y": ["long " * 200]}, "label of row 0 has 1,000 characters"),
        ({"x": np.zeros((2, 2)), "y": np.array(["a", None], dtype=object)}, "without pickle.*dtype=str"),
    ],
)
def test_broken_npz_files_name_the_place(tmp_path: Path, arrays: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_dataset(npz(tmp_path, **arrays))


class Bomb:
    """Would create a file when unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


def test_a_pickle_bomb_never_runs(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    bomb = np.array([Bomb(marker), 1], dtype=object)
    with pytest.raises(InputError, match="pickle"):
        read_dataset(npz(tmp_path, x=np.zeros((2, 2)), text=bomb))
    np.save(tmp_path / "bomb.npy", bomb, allow_pickle=True)
    (tmp_path / "bomb.npy").rename(tmp_path / "bomb.npz")
    with pytest.raises(InputError):
        read_dataset(tmp_path / "bomb.npz")
    assert not marker.exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"no zip at all"])
def test_other_content_named_npz_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "data.npz").write_bytes(content)
    with pytest.raises(InputError, match=r"data\.npz") as caught:
        read_dataset(tmp_path / "data.npz")
    assert "pickle" not in str(caught.value), "numpy's words advise to trust the file"


@pytest.mark.parametrize("content", [b"no array", b"\x93NUMPY\x01\x00\x04\x00{(\n\n" + b"0" * 64])
def test_a_member_that_is_no_array_is_named(tmp_path: Path, content: bytes) -> None:
    with zipfile.ZipFile(tmp_path / "data.npz", "w") as file:
        file.writestr("x.npy", content)
    with pytest.raises(InputError, match=r"data\.npz: .*np\.savez"):
        read_dataset(tmp_path / "data.npz")


def test_every_damaged_byte_of_a_packed_file_is_an_error_or_changes_nothing(tmp_path: Path) -> None:
    path, x = tmp_path / "data.npz", np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    np.savez_compressed(path, x=x)
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        with contextlib.suppress(InputError):
            np.testing.assert_array_equal(read_dataset(path).x, x)


def test_an_array_that_claims_more_than_memory_holds_is_refused(tmp_path: Path) -> None:
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (4000000000000, 2), }".ljust(117) + b"\n"
    with zipfile.ZipFile(tmp_path / "data.npz", "w") as file:
        file.writestr("x.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + b"\0" * 64)
    with pytest.raises(InputError, match=r"data\.npz"):
        read_dataset(tmp_path / "data.npz")


def test_halves_of_characters_in_jsonl_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "d.jsonl").write_text(
        '{"text": "a \\ud800", "label": "\\uDFFF"}\n{"text": "\\ud83d\\ude00"}\n', "ascii"
    )
    data = read_dataset(tmp_path / "d.jsonl")
    assert list(data.text or ()) == ["a ?", "😀"]
    assert data.y is not None
    assert data.y[0] == "?"


def test_a_single_array_named_npz_says_how_to_save(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((2, 2)))
    (tmp_path / "x.npy").rename(tmp_path / "x.npz")
    with pytest.raises(InputError, match=r"np\.savez"):
        read_dataset(tmp_path / "x.npz")


# .jsonl and .csv


def test_jsonl_of_texts(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "d.jsonl",
        {"text": "a", "label": "x", "id": 7},
        "",
        {"text": "b", "split": "test"},
        {"text": "", "label": 3},
    )
    data = read_dataset(path)
    assert list(data.text or ()) == ["a", "b", ""]
    assert data.y is not None
    assert data.y.tolist() == ["x", "", "3"]
    assert data.split is not None
    assert data.split.tolist() == ["", "test", ""]
    assert data.keys is not None
    assert data.keys.tolist() == ["7", "", ""]
    assert data.pool_rows.tolist() == [0, 2]


def test_csv_with_quotes_line_breaks_and_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "d.CSV"
    path.write_bytes('\ufeffText,Label\r\n"a, ""b""\nc",x\r\nd,\r\n'.encode())
    data = read_dataset(path)
    assert list(data.text or ()) == ['a, "b"\nc', "d"]
    assert data.y is not None
    assert data.y.tolist() == ["x", ""]


def test_a_csv_may_begin_with_empty_lines_and_its_rows_are_named_by_their_first_line(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text('\nnote,note,text\n1,2,"a\n\nb"\n\n1,2,c\n', "utf-8")
    assert list(read_dataset(path).text or ()) == ["a\n\nb", "c"]
    path.write_text('text,label\n"a\n\nb"\n', "utf-8")
    with pytest.raises(InputError, match="line 2 has another number"):
        read_dataset(path)


def test_ids_that_begin_after_the_first_row_are_ids(tmp_path: Path) -> None:
    data = read_dataset(written(tmp_path, "d.jsonl", {"text": "a"}, {"text": "b", "id": "007"}))
    assert data.keys is not None
    assert data.keys.tolist() == ["", "007"]


def test_embeddings_in_both_formats(tmp_path: Path) -> None:
    from_json = read_dataset(
        written(tmp_path, "d.jsonl", {"embedding": [1, 2.5], "text": "t"}, {"embedding": [3, 4], "text": "u"})
    )
    from_csv = read_dataset(written(tmp_path, "d.csv", "embedding,label", '"[1, 2.5]",a', '"[3, 4]",b'))
    for data in (from_json, from_csv):
        np.testing.assert_array_equal(data.x, [[1, 2.5], [3, 4]])
    assert list(from_json.text or ()) == ["t", "u"], "both are there; x wins unless an encoder is asked for"


def test_pictures_by_path_and_inline(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (1, 4, 4), dtype=np.uint8)
    (tmp_path / "img").mkdir()
    (tmp_path / "img" / "a.png").write_bytes(to_png(picture))
    path = written(tmp_path, "d.jsonl", {"image": "img/a.png", "label": 1}, {"image": to_data_uri(picture), "label": 2})
    np.testing.assert_array_equal(read_dataset(path).images, np.stack([picture, picture]))


@pytest.mark.parametrize(
    ("name", "lines", "words"),
    [
        ("d.jsonl", [], "no rows"),
        ("d.jsonl", [{"text": "a"}, "{text}"], "line 2 is no JSON"),
        ("d.jsonl", [{"text": "a"}, "[" * 100_000], "line 2 is no JSON"),
        ("d.jsonl", [{"text": "a"}, [1]], "line 2 is no JSON object"),
        ("d.jsonl", [{"body": "a"}], "no column text, embedding or image; it has body"),
        ("d.jsonl", [{"text": "a"}, {"label": "b"}], "line 2: `text` is missing"),
        ("d.jsonl", [{"text": " "}, {"text": ""}], "empty in every row"),
        ("d.jsonl", [{"text": "a", "label": ["x"]}], "line 1: `label` is neither"),
        (
            "d.jsonl",
            [{"embedding": [1, 2]}, {"embedding": [1, 2, 3]}, {"embedding": [3, 4]}],
            "line 2: `embedding`: its vector has 3",
        ),
        ("d.jsonl", [{"embedding": [1, 2]}, {"embedding": "x"}], "line 2: `embedding`"),
        ("d.jsonl", [{"embedding": [1, 2]}, {"embedding": [float("nan"), 2]}], "line 2: `embedding`: .*NaN"),
        ("d.jsonl", [{"image": "../a.png"}], "line 1: `image`: .*outside"),
        ("d.jsonl", [{"image": "missing.png"}], "line 1: `image`: .*cannot be opened"),
        ("d.jsonl", [{"image": "http://127.0.0.1:1/a.png"}], "line 1: `image`: .*not a public address"),
        ("d.csv", [], "no rows"),
        ("d.csv", ["text,label"], "no rows"),
        ("d.csv", ["id;text", "1;a", "2;b, c"], "semicolons"),
        ("d.csv", ["text,label", "a,b,c"], "line 2 has another number of columns"),
        ("d.csv", ["text,label", "a,b", "c"], "line 3 has another number of columns"),
        ("d.csv", ["text", '"' + "x" * 1_100_000 + '"'], "line 2 is no CSV: field larger"),
        ("d.csv", ["id,text", '1,"a', "2,b", "3,c"], "line 2 is no CSV: .*quote"),
        ("d.csv", ["id,text", "1,a", '2,"b', '3,"c"'], "line 3 is no CSV: .*quote"),
        ("d.csv", ["id,text,Text", "1,a,b"], "the header names the column `text` 2 times"),
        ("d.csv", ["text,label", "a,b", "a," + "x" * 600], "line 3: `label` has 600 characters; is it the text"),
        ("d.jsonl", [{"text": "a"}, {"text": "b", "embedding": [1, 2]}], "line 1: `embedding`"),
        ("d.csv", ["a,b", "1,2"], "it has a, b"),
    ],
)
def test_broken_rows_name_the_line(tmp_path: Path, name: str, lines: list[object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_dataset(written(tmp_path, name, *lines))


def test_a_name_that_no_file_can_have_is_an_error_like_others(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"d\.csv: cannot be read: File name too long"):
        read_dataset(tmp_path / ("d" * 300 + ".csv"))


def test_other_files_are_refused(tmp_path: Path) -> None:
    for name, words in (("d.parquet", r"expected \.npz, \.jsonl, \.csv"), ("missing.csv", "no such file")):
        with pytest.raises(InputError, match=words):
            read_dataset(tmp_path / name)
    (tmp_path / "latin.csv").write_bytes(b"text\ncaf\xe9")
    with pytest.raises(InputError, match="is not UTF-8"):
        read_dataset(tmp_path / "latin.csv")


# Bundled and shared data


def test_digits_are_pictures_that_look_like_their_numbers() -> None:
    digits = load_digits_dataset()
    assert digits.images is not None
    assert digits.y is not None
    assert digits.images.shape == (1797, 1, 16, 16)
    assert (digits.images.min(), digits.images.max()) == (0, 255)
    assert set(digits.y) == set("0123456789")
    np.testing.assert_array_equal(digits.images[:, :, ::2, ::2], digits.images[:, :, 1::2, 1::2])
    middle = digits.images[:, 0, 4:12, 7:9].mean(axis=(1, 2))
    assert middle[digits.y == "1"].mean() > 2 * middle[digits.y == "0"].mean(), (
        "a one has ink where a zero has its hole"
    )
    three_times = load_digits_dataset(scale=3).images
    assert three_times is not None
    assert three_times.shape == (1797, 1, 24, 24)


@pytest.mark.parametrize(
    ("name", "n", "shape", "pool"),
    [
        ("clinc150.npz", 23700, (384,), 18000),
        ("mnist.npz", 70000, (1, 28, 28), 60000),
        ("loghub_mac.csv", 2000, None, 2000),
    ],
)
def test_the_benchmark_files(name: str, n: int, shape: tuple[int, ...] | None, pool: int) -> None:
    folder = os.environ.get("LANTERN_TEST_DATA")
    if not folder:
        pytest.skip("LANTERN_TEST_DATA does not name the folder of the benchmark files")
    data: Dataset = read_dataset(Path(folder) / name)
    items = data.x if data.x is not None else data.images
    assert len(data) == n
    assert len(data.pool_rows) == pool
    assert (items.shape[1:] if items is not None else None) == shape
    if data.split is not None and data.y is not None:
        oos = np.char.startswith(data.split, "oos_")
        assert (data.y[oos] == "").all()
        assert (data.y[~oos] != "").all()


def test_a_file_in_another_character_encoding_says_how_to_save_it(tmp_path: Path) -> None:
    path = tmp_path / "letters.csv"
    path.write_bytes("text\ncafé au lait\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"letters\.csv: line 2 is not UTF-8 .*: save it as UTF-8"):
        read_dataset(path)


def test_a_data_set_knows_its_file(tmp_path: Path) -> None:
    path = tmp_path / "letters.csv"
    path.write_text("text\na letter\n", "utf-8")
    assert (read_dataset(path).name, read_dataset(path).where) == ("letters", "letters.csv")
