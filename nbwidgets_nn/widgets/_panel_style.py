"""The colours of bqplot's panels in a notebook, light and dark: their parts take them as CSS variables."""

from __future__ import annotations

from nbwidgets_nn._themes import THEMES

_TOKENS = ("paper", "ink", "muted", "branch", "sum", "faint", "accent")
PAPER, INK, MUTED, BRANCH, SUM, FAINT, ACCENT = (
    f"var(--nbw-{token}, {getattr(THEMES['light'], token)})" for token in _TOKENS
)

# A tooltip hangs at the page's end, outside the plane, so it takes the page's own colours.
TOOLTIP = {
    "opacity": "1",
    "padding": "4px 8px",
    "border-radius": "6px",
    "font": "12px/1.5 var(--jp-ui-font-family, sans-serif)",
    "font-variant-numeric": "tabular-nums",
    "color": "var(--jp-content-font-color1, #1c2128)",
    "background-color": "var(--jp-layout-color1, #ffffff)",
}

DARK_PAGES = ('[data-jp-theme-light="false"]', ".vscode-dark", 'html[theme="dark"]', '[data-theme="dark"]')
UNSAID = ":not([data-jp-theme-light], .vscode-light, .vscode-dark, [data-theme])"


def _variables(theme: str) -> str:
    return "".join(f"--nbw-{token}:{getattr(THEMES[theme], token)};" for token in _TOKENS)


def themed(root: str) -> str:
    """Return the rules that bqplot's panels share, all below one selector: a box in the page's theme, its words, its axes.

    bqplot hides a figure that has no size for a moment (as a page changes its theme) and does not always show it again.
    """
    return f"""
{root}{{{_variables("light")}
  box-sizing:border-box;padding:12px 14px;border:1px solid var(--nbw-faint);border-radius:8px;
  background:var(--nbw-paper);color:var(--nbw-ink)}}
{",".join(f"{page} {root}" for page in DARK_PAGES)}{{{_variables("dark")}color-scheme:dark}}
@media (prefers-color-scheme:dark){{body{UNSAID} {root}{{{_variables("dark")}color-scheme:dark}}}}
{root} .widget-html,{root} .widget-html-content{{margin:0;height:auto;line-height:1.45}}
{root} .nbw-text{{color:var(--nbw-muted);font:12px/1.45 var(--jp-ui-font-family,system-ui,sans-serif);
  font-variant-numeric:tabular-nums;white-space:normal}}
{root} .nbw-title{{color:var(--nbw-ink);font-size:14px;font-weight:650;margin-right:10px}}
{root} .nbw-status{{min-height:18px;margin-top:2px}}
{root} .nbw-picked{{color:var(--nbw-ink)}}
{root} .nbw-picked i{{color:var(--nbw-accent);font-style:normal}}
{root} .bqplot{{--bq-background:transparent}}
{root} .bqplot.figure{{visibility:visible!important}}
{root} .bqplot.classic{{--bq-plotarea-background-fill:transparent;--bq-grid-color:var(--nbw-faint);
  --bq-axis-tick-text-fill:var(--nbw-muted);--bq-axislabel-fill:var(--nbw-muted);
  --bq-axis-path-stroke:transparent;--bq-axis-tick-stroke:var(--nbw-faint);
  --bq-axis-tick-text-font:11px var(--jp-ui-font-family,sans-serif);
  --bq-axislabel-font:12px var(--jp-ui-font-family,sans-serif)}}
{root} .bqplot .label{{pointer-events:none;font-family:var(--jp-ui-font-family,sans-serif);
  paint-order:stroke;stroke:var(--nbw-paper);stroke-width:3px;stroke-linejoin:round}}"""
