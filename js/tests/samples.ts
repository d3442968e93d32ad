// Small, made-up but consistent states, and the naive code that the tests compare with.

import type { WireArray } from "../src/core/arrays.ts";
import type { WireContent, WireMatrix } from "../src/core/content.ts";

/** The same numbers every time. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) % 4294967296;
    return state / 4294967296;
  };
}

type Typed = Float32Array | Float64Array | Int32Array | Uint8Array;

export function wire(numbers: Typed, ...shape: number[]): WireArray {
  const dtype = numbers.constructor.name.replace("Array", "").toLowerCase() as WireArray["dtype"];
  return { data: new DataView(numbers.buffer, numbers.byteOffset, numbers.byteLength), dtype, shape };
}

/** Average-free single linkage of neighbours: random heights for boundaries, merged lowest first. */
export function randomLinkage(leaves: number, random: () => number): Float64Array {
  const rows: number[] = [];
  let nodes = Array.from({ length: leaves }, (_, id) => ({ id, size: 1 }));
  let height = 0;
  for (let i = 0; nodes.length > 1; i++) {
    height += 0.01 + random() * 0.1;
    const at = Math.floor(random() * (nodes.length - 1));
    const [a, b] = [nodes[at], nodes[at + 1]];
    const swap = random() < 0.5;
    rows.push(swap ? b.id : a.id, swap ? a.id : b.id, height, a.size + b.size);
    nodes = [...nodes.slice(0, at), { id: leaves + i, size: a.size + b.size }, ...nodes.slice(at + 2)];
  }
  return Float64Array.from(rows);
}

/** Labels at a cut by the definition: the connected parts of the merges at or below it, in order of first row. */
export function naiveLabels(linkage: Float64Array, leaves: number, cut: number): number[] {
  const members: number[][] = Array.from({ length: leaves }, (_, k) => [k]);
  let parts = members.map((part) => [...part]);
  for (let i = 0; i < leaves - 1; i++) {
    const joined = [...members[linkage[4 * i]], ...members[linkage[4 * i + 1]]];
    members.push(joined);
    if (linkage[4 * i + 2] > cut) continue;
    const touched = parts.filter((part) => part.some((k) => joined.includes(k)));
    parts = [...parts.filter((part) => !touched.includes(part)), touched.flat()];
  }
  parts.sort((a, b) => Math.min(...a) - Math.min(...b));
  return Array.from({ length: leaves }, (_, k) => parts.findIndex((part) => part.includes(k)) + 1);
}

const RAMP = Uint8Array.from({ length: 750 }, (_, i) => Math.floor(i / 3));

export function matrixOf(values: WireArray, more: Partial<WireMatrix> = {}): WireMatrix {
  return {
    id: "r",
    title: "Correlation of units",
    how: "average linkage",
    quantity: "r",
    unit: "",
    values,
    mask: null,
    coded: false,
    error: 0,
    low: -1,
    high: 1,
    diverging: true,
    colors: { light: wire(RAMP, 250, 3), dark: wire(RAMP.slice().reverse(), 250, 3) },
    columns: null,
    note: "",
    samples: 1797,
    marginals: null,
    ...more,
  };
}

/** Four units in two pairs, 3 & 1 and 0 & 4, and one constant unit, 2, in display order. */
export function smallContent(more: Partial<WireContent> = {}): WireContent {
  const nan = Number.NaN;
  const r = [
    [1, 0.9, 0.2, -0.1, nan],
    [0.9, 1, 0.3, 0.05, nan],
    [0.2, 0.3, 1, -0.8, nan],
    [-0.1, 0.05, -0.8, 1, nan],
    [nan, nan, nan, nan, nan],
  ];
  const square = matrixOf(wire(Float64Array.from(r.flat()), 5, 5));
  const activity = matrixOf(
    wire(
      Float32Array.from({ length: 15 }, (_, i) => i / 15),
      5,
      3,
    ),
    {
      id: "a",
      title: "Activations",
      quantity: "a",
      low: 0,
      diverging: false,
      columns: { title: "samples", one: "sample", layer: null, names: ["s0", "s1", "s2"] },
    },
  );
  return {
    layer: "fc",
    units: wire(Int32Array.of(3, 1, 0, 4, 2), 5),
    matrices: [square, activity],
    linkage: wire(Float64Array.of(0, 1, 0.1, 2, 2, 3, 0.2, 2, 4, 5, 0.8, 4), 3, 4),
    distance: "1 − |r|",
    facts: [{ label: "strongest correlation", value: "+0.900", reference: "by chance 0.08", explain: "why" }],
    message: "",
    ...more,
  };
}

/** Bits from the five units of `smallContent` to three units of "out", with their sums. */
export function layeredMatrix(more: Partial<WireMatrix> = {}): WireMatrix {
  const bits = Float64Array.from({ length: 15 }, (_, i) => i / 100);
  const rows = Float64Array.of(0.03, 0.12, 0.21, 0.3, 0.39);
  const columns = Float64Array.of(0.3, 0.35, 0.4);
  return matrixOf(wire(bits, 5, 3), {
    id: "ei",
    title: "Effective information",
    how: "exact",
    quantity: "",
    unit: "bits",
    low: 0,
    high: 0.14,
    diverging: false,
    samples: null,
    columns: { title: "units of out", one: "unit", layer: "out", names: ["0", "7", "2"] },
    marginals: { rows: wire(rows, 5), columns: wire(columns, 3) },
    ...more,
  });
}
