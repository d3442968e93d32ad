"""What the spectrum adds to the style of bqplot's panels; pictures come twice, for light pages and for dark ones."""

from __future__ import annotations

from nbwidgets_nn.widgets._panel_style import DARK_PAGES, UNSAID, themed

ROOT = ".nbw-spectrum"

# The first two marks of a figure of cells are the same picture in the colours of either theme.
_LIGHT = ("{page} .nbw-on-light", "{page} .nbw-cells g:nth-child(1)>image")
_DARK = ("{page} .nbw-on-dark", "{page} .nbw-cells g:nth-child(2)>image")


def _turned(page: str) -> str:
    """Return the rules that show what is meant for a dark page."""
    hidden = ",".join(one.format(page=page) for one in _LIGHT)
    shown = ",".join(one.format(page=page) for one in _DARK)
    return f"{hidden}{{display:none}}{shown}{{display:inline}}"


STYLE = f"""<style>{themed(ROOT)}
{",".join(one.format(page=ROOT) for one in _DARK)}{{display:none}}
{"".join(_turned(f"{page} {ROOT}") for page in DARK_PAGES)}
@media (prefers-color-scheme:dark){{{_turned(f"body{UNSAID} {ROOT}")}}}
{ROOT} .bqplot image{{cursor:pointer}}
{ROOT} .bqplot .line,{ROOT} .bqplot .bar{{pointer-events:none}}
{ROOT} .nbw-warning{{color:var(--nbw-ink);border-left:3px solid var(--nbw-branch);padding-left:8px;margin-top:4px}}
{ROOT} .nbw-subtitle{{color:var(--nbw-ink);font-weight:600;margin-right:8px}}
{ROOT} .nbw-scale{{display:inline-block;height:9px;width:84px;vertical-align:-1px;margin:0 4px;border-radius:2px}}
{ROOT} .nbw-key{{display:inline-block;height:9px;width:9px;margin-right:5px;border-radius:2px}}
{ROOT} .nbw-strip{{display:flex;flex-wrap:wrap;gap:10px 14px;margin-top:6px}}
{ROOT} .nbw-strip figure{{margin:0;max-width:150px}}
{ROOT} .nbw-strip img{{image-rendering:pixelated}}
{ROOT} .nbw-strip figcaption{{color:var(--nbw-muted);font:11px/1.35 var(--jp-ui-font-family,system-ui,sans-serif)}}
{ROOT} .nbw-strip b{{color:var(--nbw-ink);font-weight:600}}
{ROOT} .nbw-here b{{color:var(--nbw-accent)}}
{ROOT} .widget-label{{color:var(--nbw-muted);font-size:12px}}
{ROOT} select,{ROOT} input{{font-size:12px}}
</style>"""
