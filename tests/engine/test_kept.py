"""What is kept in memory is bounded, and what was used last stays."""

from __future__ import annotations

from ml_backend.engine.kept import Recent


def test_only_the_keys_used_last_are_kept() -> None:
    kept: Recent[str, int] = Recent(2)
    kept.put("a", 1)
    kept.put("b", 2)
    assert kept.get("a") == 1, "used, so b is the one to go"
    kept.put("c", 3)
    assert kept.keys() == {"a", "c"}
    assert kept.get("b") is None


def test_a_key_has_one_value_until_it_is_forgotten() -> None:
    kept: Recent[str, int] = Recent(2)
    kept.put("a", 1)
    kept.put("b", 2)
    kept.put("a", 3)
    assert (kept.get("a"), kept.get("b")) == (3, 2)
    kept.forget("a")
    kept.forget("a")
    assert kept.get("a") is None
