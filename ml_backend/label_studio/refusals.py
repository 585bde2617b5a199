"""Why Label Studio drops predictions: the check that its bulk import makes, made here again to say the reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from label_studio_sdk.label_interface.interface import LabelInterface

SHOWN_REASONS = 3


def explain_refusals(label_config: str, items: Sequence[Mapping[str, object]]) -> str:
    """The most frequent reasons among the items, in one line. label_config: Label Studio's, not ours."""
    reasons: Counter[str] = Counter()
    try:
        interface = LabelInterface(label_config)
    except Exception as error:  # noqa: BLE001 -- the SDK raises many kinds on a bad config, and this is only an explanation
        return f"the project's label config cannot be read ({type(error).__name__})"
    for item in items:
        for reason in interface.validate_prediction(dict(item), return_errors=True):
            reasons[str(reason)] += 1
    if not reasons:
        return "no reason found: every prediction passes the SDK's own check"
    return "; ".join(f"{reason} ({count}x)" for reason, count in reasons.most_common(SHOWN_REASONS))
