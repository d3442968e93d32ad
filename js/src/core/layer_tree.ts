// The layers of a model as a tree made from the dots in their names.

export interface LayerRow {
  name: string;
  type: string;
  /** Output shape without the batch; null when the layer returned no tensor. */
  shape: number[] | null;
  parameters: number;
  /** How redundant its units are, 0..1; null when that was not measured. */
  redundancy: number | null;
  note: string;
}

export interface TreeNode {
  /** Full dotted name: unique. */
  id: string;
  label: string;
  level: number;
  layer: LayerRow | null;
  children: TreeNode[];
  parent: TreeNode | null;
}

/** "features.0" goes into the group "features". A group that would hold every layer is left out. */
export function buildLayerTree(layers: readonly LayerRow[]): TreeNode[] {
  const root: TreeNode = { id: "", label: "", level: 0, layer: null, children: [], parent: null };
  for (const layer of layers) insert(root, layer);
  const named = root.children.filter((node) => !isInput(node.id));
  const only = named.length === 1 && named[0].layer === null ? named[0] : null;
  const top = only
    ? root.children.flatMap((node) => (node === only ? only.children : [node]))
    : root.children;
  return settle(top.map(compress), null, 1);
}

/** The model's input, or a further one: "input:y". */
function isInput(id: string): boolean {
  return id === "input" || id.startsWith("input:");
}

function insert(root: TreeNode, layer: LayerRow): void {
  const parts = layer.name.split(".");
  let node = root;
  for (const part of parts.slice(0, -1)) node = group(node, part);
  const label = parts[parts.length - 1];
  node.children.push({ id: layer.name, label, level: 0, layer, children: [], parent: null });
}

/** The last child of `node` if it is this group: layers keep their order even when a group is left and entered again. */
function group(node: TreeNode, label: string): TreeNode {
  const id = node.id ? `${node.id}.${label}` : label;
  const found = node.children.find((child) => child.layer === null && child.id === id);
  if (found) return found;
  const made: TreeNode = { id, label, level: 0, layer: null, children: [], parent: null };
  node.children.push(made);
  return made;
}

/** A group that holds only one group becomes one line, "encoder.layers". */
function compress(node: TreeNode): TreeNode {
  let current = node;
  while (current.layer === null && current.children.length === 1 && current.children[0].layer === null) {
    const child = current.children[0];
    current = { ...child, label: `${current.label}.${child.label}` };
  }
  return { ...current, children: current.children.map(compress) };
}

function settle(nodes: TreeNode[], parent: TreeNode | null, level: number): TreeNode[] {
  for (const node of nodes) {
    node.parent = parent;
    node.level = level;
    settle(node.children, node, level + 1);
  }
  return nodes;
}

/** The nodes a reader sees, top to bottom, when the groups in `closed` are shut. */
export function visibleNodes(nodes: readonly TreeNode[], closed: ReadonlySet<string>): TreeNode[] {
  return nodes.flatMap((node) => [node, ...(closed.has(node.id) ? [] : visibleNodes(node.children, closed))]);
}

/** The next node after `from`, going round, whose label or full name starts with what was typed. */
export function typeAhead(nodes: readonly TreeNode[], from: number, typed: string): number {
  const wanted = typed.toLowerCase();
  // One letter steps on to the next match; more letters narrow the search and may stay where they are.
  const begin = typed.length > 1 ? from : from + 1;
  for (let step = 0; step < nodes.length; step++) {
    const index = (begin + step) % nodes.length;
    const { label, id } = nodes[index];
    if (label.toLowerCase().startsWith(wanted) || id.toLowerCase().startsWith(wanted)) return index;
  }
  return -1;
}
