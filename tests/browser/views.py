"""How the tests read and handle the views: by what a person sees and does, and by marks the widgets set for tests."""

from playwright.sync_api import Page


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
