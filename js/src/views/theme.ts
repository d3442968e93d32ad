// Light or dark, found from the page, and the colours that canvases and saved pictures need.

import type { Palette } from "../core/palette.ts";

/** JupyterLab, VS Code, pages that set a theme attribute, then what the system prefers. */
export function isDark(document: Document): boolean {
  const { body, documentElement: html } = document;
  const lab = body.dataset.jpThemeLight;
  if (lab !== undefined) return lab === "false";
  if (/\bvscode-(dark|high-contrast)(?!-light)\b/.test(body.className)) return true;
  if (body.classList.contains("vscode-light")) return false;
  const named = html.getAttribute("theme") ?? html.dataset.theme ?? body.dataset.theme;
  if (named === "dark" || named === "light") return named === "dark";
  return window.matchMedia?.("(prefers-color-scheme: dark)").matches ?? false;
}

/** Keeps the class nbw-dark on `root` true to the page and calls `changed` after each change. */
export function followTheme(root: HTMLElement, changed: () => void, signal: AbortSignal): void {
  const apply = () => {
    const dark = isDark(document);
    if (root.classList.contains("nbw-dark") === dark && root.dataset.theme) return;
    root.classList.toggle("nbw-dark", dark);
    root.dataset.theme = dark ? "dark" : "light";
    changed();
  };
  const observer = new MutationObserver(apply);
  const attributeFilter = ["class", "theme", "data-theme", "data-jp-theme-light"];
  observer.observe(document.body, { attributes: true, attributeFilter });
  observer.observe(document.documentElement, { attributes: true, attributeFilter });
  window.matchMedia?.("(prefers-color-scheme: dark)").addEventListener("change", apply, { signal });
  signal.addEventListener("abort", () => observer.disconnect(), { once: true });
  apply();
}

/** The colours in force at `root`; style.css is their one home, so a reader's own CSS reaches the canvas too. */
export function readPalette(root: HTMLElement): Palette {
  const style = getComputedStyle(root);
  const token = (name: string) => style.getPropertyValue(`--nbw-${name}`).trim() || "#808080";
  const series = (name: string, count: number) =>
    Array.from({ length: count }, (_, i) => token(`${name}-${i + 1}`));
  return {
    dark: root.classList.contains("nbw-dark"),
    paper: token("paper"),
    ink: token("ink"),
    muted: token("muted"),
    line: token("line"),
    faint: token("faint"),
    branch: token("branch"),
    sum: token("sum"),
    accent: token("accent"),
    clusters: series("cluster", 8),
    marks: series("mark", 6),
    font: style.fontFamily || "sans-serif",
  };
}
