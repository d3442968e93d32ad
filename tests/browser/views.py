"""How the tests read and handle the views: by what a person sees and does, and by marks the widgets set for tests."""

from pathlib import Path

from playwright.sync_api import Page

ARTIFACTS = Path(__file__).parent / "artifacts"
AXE = Path(__file__).parents[2] / "js" / "node_modules" / "axe-core" / "axe.min.js"


def heatmaps(page: Page):
    return page.locator(".nbw-linked-heatmaps")


def wait_painted(page: Page, *, layer: str | None = None, beyond: int = 0) -> int:
    """Wait until the heatmaps have painted (a layer, or once more than ``beyond``) and return the paint's number."""
    wanted = f"&& root.dataset.layer === {layer!r}" if layer else ""
    page.wait_for_function(
        "beyond => { const root = document.querySelector('.nbw-linked-heatmaps');"
        f" return root && Number(root.dataset.seq ?? 0) > beyond {wanted} }}",
        arg=beyond,
    )
    return int(heatmaps(page).first.get_attribute("data-seq"))


def pixels(page: Page, matrix: str, canvas: str = "nbw-cells") -> str:
    """Return what one canvas of a panel shows, as a string to compare."""
    return page.locator(f"[data-matrix={matrix}] canvas.{canvas}").evaluate("canvas => canvas.toDataURL()")


def brush(page: Page, matrix: str, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag over a part of a matrix; positions are shares of its width and height."""
    box = page.locator(f"[data-matrix={matrix}] canvas.nbw-cells").bounding_box()
    at = lambda share: (box["x"] + share[0] * box["width"], box["y"] + share[1] * box["height"])  # noqa: E731
    page.mouse.move(*at(start))
    page.mouse.down()
    page.mouse.move(*at(((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)))
    page.mouse.move(*at(end))
    page.mouse.up()


def pick(page: Page, layer: str) -> None:
    page.locator(f"[role=treeitem][data-id='{layer}']").click()


def chips(page: Page) -> list[str]:
    return page.locator(".nbw-chips button[data-name]").evaluate_all(
        "all => all.map(chip => chip.dataset.name)"
    )


def axe_violations(page: Page, root: str = ".nbw") -> list[str]:
    """Run axe on the part of a page that is ours and name what it finds."""
    page.evaluate(AXE.read_text())
    result = page.evaluate("root => axe.run(root)", root)
    return [
        f"{v['id']}: {v['nodes'][0]['html'][:200]} {v['nodes'][0]['failureSummary'][:300]}"
        for v in result["violations"]
    ]
