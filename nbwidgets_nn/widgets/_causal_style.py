"""What the causal plane adds to the style that it shares with other panels."""

from __future__ import annotations

from nbwidgets_nn.widgets._panel_style import themed

STYLE = f"""<style>{themed(".nbw-causal-plane")}
.nbw-causal-plane .bqplot .dot{{cursor:pointer}}
</style>"""
