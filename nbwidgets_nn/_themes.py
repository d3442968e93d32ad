"""The few colours that are not data, for still pictures: the same as in ``js/src/style.css`` (a test compares them)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Theme:
    """Colours of one surrounding. ``marks`` follow the codes 250 to 255; ``clusters`` repeat."""

    paper: str
    ink: str
    muted: str
    branch: str
    sum: str
    faint: str
    accent: str
    clusters: tuple[str, ...]
    marks: tuple[str, ...]


THEMES = {
    "light": Theme(
        paper="#ffffff",
        ink="#1c2128",
        muted="#5d6673",
        branch="#8b94a0",
        sum="#adb3bb",
        faint="#e6e9ee",
        accent="#d9480f",
        clusters=("#4e79a7", "#e3a857", "#59a173", "#af7aa1", "#9c755f", "#76b7b2", "#b8a03c", "#d4889c"),
        marks=("#17829a", "#b8359b", "#0b4f5c", "#5e1850", "#c3c9d1", "#eceff2"),
    ),
    "dark": Theme(
        paper="#161b22",
        ink="#e6eaf0",
        muted="#9aa4b1",
        branch="#7a8491",
        sum="#565e69",
        faint="#262d36",
        accent="#ff922b",
        clusters=("#6b9bd1", "#d9b36c", "#6dbb88", "#c193b5", "#b28d77", "#84c9c3", "#c9b65a", "#de9dae"),
        marks=("#3fb4cc", "#e27bcb", "#1f7c8d", "#96408a", "#565f6b", "#2a313a"),
    ),
}


def theme_called(name: str) -> Theme:
    """Return the colours of a theme.

    Raises:
        ValueError: a name that is neither "light" nor "dark".
    """
    if name not in THEMES:
        raise ValueError(f'theme must be "light" or "dark", but {name!r} came')
    return THEMES[name]


MARKS = ("below the scale", "above the scale", "−∞", "+∞", "not defined", "masked")
"""What the legend calls the codes 250 to 255."""
