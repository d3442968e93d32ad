// The layers of a model as a tree that the keyboard can walk: one tab stop, arrows inside.

import { formatCount, formatPercent, formatShape } from "../core/format.ts";
import { buildLayerTree, type LayerRow, type TreeNode, typeAhead, visibleNodes } from "../core/layer_tree.ts";
import { make, setText } from "./dom.ts";
import { followTheme } from "./theme.ts";

export interface PickerHost {
  picked(layer: string): void;
}

/** Letters typed within this time belong together. */
const TYPING = 700;

export class PickerView {
  private readonly title = make("div", { class: "nbw-title" });
  private readonly subtitle = make("div", { class: "nbw-subtitle" });
  private readonly measure = make("span", { class: "nbw-col-redundancy" }, "redundancy");
  private readonly list = make("div", { class: "nbw-layers", role: "tree", "aria-label": "layers" });
  private readonly closed = new Set<string>();
  private tree: TreeNode[] = [];
  private nodes: TreeNode[] = [];
  private layer = "";
  private current = "";
  private typed = "";
  private typedAt = 0;
  private seq = 0;

  constructor(
    private readonly root: HTMLElement,
    private readonly host: PickerHost,
    signal: AbortSignal,
  ) {
    const columns = make(
      "div",
      { class: "nbw-layer-columns", "aria-hidden": "true" },
      make("span", {}, "layer"),
      make("span", {}, "parameters"),
      this.measure,
    );
    const head = make("div", { class: "nbw-picker-head" }, this.title, this.subtitle);
    root.append(make("div", { class: "nbw-panel nbw-picker" }, head, columns, this.list));
    this.list.addEventListener("click", (event) => this.click(event), { signal });
    this.list.addEventListener("keydown", (event) => this.key(event), { signal });
    followTheme(root, () => undefined, signal);
  }

  setHead(title: string, subtitle: string, explain: string): void {
    setText(this.title, title || "Layers");
    setText(this.subtitle, subtitle);
    this.measure.title = explain;
    this.list.setAttribute("aria-description", explain);
    this.done();
  }

  setLayers(layers: readonly LayerRow[]): void {
    this.tree = buildLayerTree(layers);
    this.closed.clear();
    this.draw();
  }

  setLayer(layer: string): void {
    this.layer = layer;
    for (let node = this.find(layer)?.parent; node; node = node.parent) this.closed.delete(node.id);
    this.current = layer;
    this.draw();
    this.list.querySelector<HTMLElement>('[aria-selected="true"]')?.scrollIntoView?.({ block: "nearest" });
  }

  private find(id: string, among: readonly TreeNode[] = this.tree): TreeNode | undefined {
    return visibleNodes(among, new Set()).find((node) => node.id === id);
  }

  private draw(): void {
    const focused = this.list.contains(document.activeElement);
    this.nodes = visibleNodes(this.tree, this.closed);
    if (!this.nodes.some((node) => node.id === this.current)) this.current = this.nodes[0]?.id ?? "";
    this.list.replaceChildren(...this.nodes.map((node) => this.row(node)));
    if (focused) this.focus();
    this.done();
  }

  private done(): void {
    this.root.dataset.layer = this.layer;
    this.root.dataset.seq = String(++this.seq);
  }

  private focus(): void {
    this.list.querySelector<HTMLElement>('[tabindex="0"]')?.focus();
  }

  private row(node: TreeNode): HTMLElement {
    const siblings = node.parent?.children ?? this.tree;
    const row = make("div", {
      role: "treeitem",
      class: node.layer ? "nbw-layer" : "nbw-layer nbw-group",
      "data-id": node.id,
      "aria-level": node.level,
      "aria-posinset": siblings.indexOf(node) + 1,
      "aria-setsize": siblings.length,
      "aria-selected": node.layer ? String(node.id === this.layer) : undefined,
      "aria-expanded": node.layer ? undefined : String(!this.closed.has(node.id)),
      title: node.layer ? node.layer.note || node.id : node.id,
      tabindex: node.id === this.current ? "0" : "-1",
    });
    row.style.paddingLeft = `${10 + 14 * (node.level - 1)}px`;
    row.append(...(node.layer ? cells(node.label, node.layer) : groupCells(node, this.closed.has(node.id))));
    return row;
  }

  private click(event: MouseEvent): void {
    const id = (event.target as HTMLElement).closest<HTMLElement>("[data-id]")?.dataset.id;
    const node = this.nodes.find((other) => other.id === id);
    if (node) this.activate(node);
  }

  private activate(node: TreeNode): void {
    this.current = node.id;
    if (!node.layer) this.setOpen(node, this.closed.has(node.id));
    else if (node.id !== this.layer) {
      this.setLayer(node.id);
      this.host.picked(node.id);
    }
    this.focus();
  }

  private setOpen(node: TreeNode, open: boolean): void {
    if (open) this.closed.delete(node.id);
    else this.closed.add(node.id);
    this.draw();
    this.focus();
  }

  private goTo(index: number): void {
    const node = this.nodes[Math.min(this.nodes.length - 1, Math.max(0, index))];
    if (!node) return;
    for (const row of this.list.children) row.setAttribute("tabindex", "-1");
    this.current = node.id;
    this.list.children[this.nodes.indexOf(node)].setAttribute("tabindex", "0");
    this.focus();
  }

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const index = this.nodes.findIndex((node) => node.id === this.current);
    const node = this.nodes[index];
    if (!node || !this.act(event.key, index, node)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** The keys of the WAI-ARIA tree pattern; false for a key that means nothing here. */
  private act(key: string, index: number, node: TreeNode): boolean {
    const shut = this.closed.has(node.id);
    const actions: Record<string, () => void> = {
      ArrowDown: () => this.goTo(index + 1),
      ArrowUp: () => this.goTo(index - 1),
      Home: () => this.goTo(0),
      End: () => this.goTo(this.nodes.length - 1),
      ArrowRight: () => (node.layer ? undefined : shut ? this.setOpen(node, true) : this.goTo(index + 1)),
      ArrowLeft: () => {
        if (!node.layer && !shut) this.setOpen(node, false);
        else if (node.parent) this.goTo(this.nodes.indexOf(node.parent));
      },
      Enter: () => this.activate(node),
      " ": () => this.activate(node),
    };
    if (actions[key]) actions[key]();
    else if (key.length === 1 && key !== " ") this.type(key, index);
    else return false;
    return true;
  }

  private type(letter: string, index: number): void {
    const now = performance.now();
    this.typed = now - this.typedAt < TYPING ? this.typed + letter : letter;
    this.typedAt = now;
    const found = typeAhead(this.nodes, index, this.typed);
    if (found >= 0) this.goTo(found);
  }
}

/** Words that a sighted reader has from the column heads. */
function spoken(words: string): HTMLElement {
  return make("span", { class: "nbw-sr" }, words);
}

function cells(label: string, layer: LayerRow): HTMLElement[] {
  const name = make("span", { class: "nbw-name" }, label);
  const type = make("span", { class: "nbw-type" });
  type.append([layer.type, formatShape(layer.shape)].filter(Boolean).join(" · "));
  const parameters = make("span", { class: "nbw-parameters" });
  parameters.append(layer.parameters ? formatCount(layer.parameters) : "–", spoken(" parameters, "));
  const bar = make("span", { class: "nbw-redundancy" });
  const percent = make("span", { class: "nbw-percent" });
  if (layer.redundancy === null) bar.classList.add("nbw-none");
  else {
    const fill = make("i", {});
    fill.style.width = `${Math.round(100 * Math.min(1, Math.max(0, layer.redundancy)))}%`;
    bar.append(fill);
    percent.append(formatPercent(layer.redundancy), spoken(" redundancy"));
  }
  if (layer.note) percent.append(spoken(`, ${layer.note}`));
  return [name, parameters, bar, type, percent];
}

function groupCells({ label, children }: TreeNode, shut: boolean): HTMLElement[] {
  return [
    make("span", { class: "nbw-twist", "aria-hidden": "true" }, shut ? "▸" : "▾"),
    make("span", { class: "nbw-name" }, label),
    make("span", { class: "nbw-type" }, shut ? `${children.length}` : ""),
  ];
}
