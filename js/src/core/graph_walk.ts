// The keyboard: up and down in a column, left and right along the strongest edge, and without one to the next column.

import {
  bundlesAt,
  type Direction,
  type Edge,
  edgesOf,
  endsOf,
  type Graph,
  type Node,
  nameOfNode,
} from "./graph_content.ts";
import { relativeStrength, type Strengths } from "./graph_strength.ts";

export interface Step extends Node {
  /** The edge that was walked along. */
  via: Edge | null;
  /** That there was none, in words; "" where there was one or none was asked for. */
  gap: string;
}

/** Where a key leads from a unit; null where it leads nowhere or means nothing here. */
export function walk(graph: Graph, strengths: Strengths, at: Node, key: string): Step | null {
  const { placeOf, units } = graph.columns[at.column];
  const place = placeOf[at.unit];
  switch (key) {
    case "ArrowUp":
      return toPlace(graph, at, place - 1);
    case "ArrowDown":
      return toPlace(graph, at, place + 1);
    case "Home":
      return toPlace(graph, at, 0);
    case "End":
      return toPlace(graph, at, units - 1);
    case "ArrowLeft":
      return alongStrongest(graph, strengths, at, "in") ?? acrossGap(graph, at, "in");
    case "ArrowRight":
      return alongStrongest(graph, strengths, at, "out") ?? acrossGap(graph, at, "out");
    default:
      return null;
  }
}

function toPlace(graph: Graph, { column }: Node, place: number): Step | null {
  const { order, units } = graph.columns[column];
  return place >= 0 && place < units ? { column, unit: order[place], via: null, gap: "" } : null;
}

function alongStrongest(graph: Graph, strengths: Strengths, at: Node, direction: Direction): Step | null {
  const via = strongestAt(graph, strengths, at, direction);
  if (!via) return null;
  const [from, to] = endsOf(graph, via);
  return { ...(direction === "in" ? from : to), via, gap: "" };
}

/** A graph may fall into parts: nobody is to be kept in one of them. Beside a unit stands what is as far from the top. */
function acrossGap(graph: Graph, at: Node, direction: Direction): Step | null {
  const here = graph.columns[at.column];
  const column = at.column + (direction === "in" ? -1 : 1);
  const next = graph.columns[column];
  if (!next) return null;
  const place = Math.floor(((here.placeOf[at.unit] + 0.5) / here.units) * next.units);
  const gap = `no edge ${direction === "in" ? "into" : "out of"} ${nameOfNode(graph, at)}`;
  return { column, unit: next.order[place], via: null, gap };
}

/** The strongest edge into a unit or out of it, of equal ones the first. What is not finite comes after all others. */
export function strongestAt(graph: Graph, strengths: Strengths, at: Node, direction: Direction): Edge | null {
  let best: Edge | null = null;
  let bestSize = -Infinity;
  for (const b of bundlesAt(graph, at.column, direction)) {
    const edges = edgesOf(graph.bundles[b], at.unit, direction);
    for (let i = 0; i < edges.length; i++) {
      const relative = relativeStrength(strengths.values[b][edges[i]], strengths.largest[b]);
      const size = relative === Infinity ? -1 : relative;
      if (size <= bestSize) continue;
      best = { bundle: b, edge: edges[i] };
      bestSize = size;
    }
  }
  return best;
}
