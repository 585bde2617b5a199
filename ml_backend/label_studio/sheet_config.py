"""The label config of the Label Studio project in which people draw on pictures of the map."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import quoteattr

PICTURE = "map"
"""Task field with the picture's address, and name of the tag that shows it."""
TOOLS = (
    ("PolygonLabels", "polygon", "Outline: click around the points, close at the first corner"),
    ("EllipseLabels", "ellipse", "Ellipse: press in the middle and pull"),
    ("RectangleLabels", "rectangle", "Rectangle: press and pull"),
    ("KeyPointLabels", "point", "One point: click on it"),
)


def sheet_config(question: str, classes: Sequence[tuple[str, str]]) -> str:
    """A config with every drawing tool of TOOLS. question: shown above. classes: (name, colour "#rrggbb")."""
    labels = "".join(f"\n      <Label value={_quoted(n)} background={_quoted(c)}/>" for n, c in classes)
    tools = "".join(
        f'\n    <Header value="{what}" size="6"/>\n    <{tag} name="{name}" toName="{PICTURE}" strokeWidth="2" '
        f'opacity="0.2">{labels}\n    </{tag}>'
        for tag, name, what in TOOLS
    )
    return f"""<View>
  <Style>
    .lantern-sheet {{ display: flex; flex-wrap: wrap; gap: 16px; align-items: flex-start; }}
    .lantern-picture {{ flex: 4 1 560px; min-width: 0; }}
    .lantern-tools {{ flex: 1 1 200px; min-width: 0; }}
  </Style>
  <Header value={_quoted(question)} size="4"/>
  <View className="lantern-sheet">
  <View className="lantern-picture">
    <Image name="{PICTURE}" value="${PICTURE}" zoom="true" zoomControl="true" rotateControl="false"/>
  </View>
  <View className="lantern-tools">{tools}
  </View>
  </View>
</View>"""


def _quoted(text: str) -> str:
    """In double quotes always: Label Studio looks for names with those."""
    return quoteattr(text, {'"': "&quot;"})
