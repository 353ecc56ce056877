"""Charts as pictures of their own: SVG without script, in the colours of light and of dark pages."""

from __future__ import annotations

import base64
import enum
import hashlib
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree as ET

import pygal
from pygal.style import Style

from leadglass.model.verdict import Severity

__all__ = ["Look", "lines", "policy", "stacked"]

_SVG = "{http://www.w3.org/2000/svg}"
_FONT = 'system-ui, -apple-system, "Segoe UI", "Noto Sans", "Liberation Sans", sans-serif'


class Look(enum.StrEnum):
    """On which pages a picture stands."""

    LIGHT = "light"
    DARK = "dark"


_SEVERITIES: Mapping[Look, tuple[str, ...]] = {
    Look.LIGHT: ("#7d1532", "#b8402c", "#e08b45", "#f0cd92", "#dfe5ea"),
    Look.DARK: ("#ff8d85", "#e0673f", "#b0652f", "#785a38", "#434f5a"),
}
_PLAIN = {Look.LIGHT: ("#0f6674", "#b8402c"), Look.DARK: ("#74c7d4", "#e0673f")}
_INK = {Look.LIGHT: ("#1b242d", "#51606d", "#d9dfe4"), Look.DARK: ("#e6eaee", "#a7b4bf", "#303b45")}


def stacked(labels: Sequence[str], counts: Sequence[Mapping[Severity, int]], look: Look) -> bytes:
    """A stacked bar for each label: how many of each severity, the worst at the foot."""
    chart = pygal.StackedBar(**_options(_SEVERITIES[look], look))
    chart.x_labels = list(labels)
    for severity in Severity:
        chart.add(severity.value, [one.get(severity, 0) for one in counts])
    return _drawn(chart)


def lines(labels: Sequence[str], series: Mapping[str, Sequence[int]], look: Look) -> bytes:
    """A line for each of ``series`` over ``labels``."""
    most = max((value for values in series.values() for value in values), default=0)
    chart = pygal.Line(**_options(_PLAIN[look], look), dots_size=4, stroke_style={"width": 3})
    chart.range = (0, max(most, 1))
    chart.legend_at_bottom_columns = len(series)
    chart.truncate_legend = -1
    chart.x_labels = list(labels)
    for name, values in series.items():
        chart.add(name, list(values))
    return _drawn(chart)


def _options(colours: Sequence[str], look: Look) -> Mapping[str, object]:
    ink, soft, line = _INK[look]
    style = Style(
        background="transparent",
        plot_background="transparent",
        foreground=soft,
        foreground_strong=ink,
        foreground_subtle=soft,
        guide_stroke_color=line,
        major_guide_stroke_color=line,
        guide_stroke_dasharray="1",
        major_guide_stroke_dasharray="1",
        colors=tuple(colours),
        opacity="1",
        stroke_opacity="1",
        font_family=_FONT,
        label_font_size=13,
        major_label_font_size=13,
        legend_font_size=14,
    )
    return {
        "style": style,
        "width": 900,
        "height": 320,
        "js": (),
        "legend_at_bottom": True,
        "legend_at_bottom_columns": 5,
        "legend_box_size": 13,
        "margin": 8,
        "margin_right": 48,
        "show_minor_x_labels": True,
        "x_label_rotation": 0,
        "truncate_label": 12,
        "min_scale": 2,
        "value_formatter": "{:,.0f}".format,
        "print_values": False,
    }


def _drawn(chart: pygal.Graph) -> bytes:
    """The picture without the scripts, the date and the tool tips that pygal puts into it; alike for like counts."""
    chart.uuid = "picture"
    root = ET.fromstring(chart.render(disable_xml_declaration=True))  # noqa: S314 - made a line above
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag == f"{_SVG}script" or child.get("class") == "tooltip":
                parent.remove(child)
    ET.register_namespace("", _SVG[1:-1])
    return ET.tostring(root)


def policy(picture: bytes) -> str:
    """The content security policy of a picture that is looked at by itself: its own styles, by their hashes."""
    styles = [element.text or "" for element in ET.fromstring(picture).iter(f"{_SVG}style")]  # noqa: S314 - ours
    hashes = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in styles)
    allowed = " ".join(f"'sha256-{one}'" for one in hashes)
    return f"default-src 'none'; style-src {allowed}; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
