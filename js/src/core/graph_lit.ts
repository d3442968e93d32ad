// The paths that are lit for a selection: the best into its units and the best out of them.

import type { Graph, Node } from "./graph_content.ts";
import { type Best, bestPaths } from "./graph_paths.ts";
import type { Strengths } from "./graph_strength.ts";

/** Paths lit for one unit, to either side; for a selection of many units fewer of each. */
const PATHS = 5;
const PATHS_IN_ALL = 40;
/** Looking for paths walks over every edge: at most this many steps for one selection. */
const STEPS_IN_ALL = 4_000_000;

export interface Lit {
  /** Where the data begin nothing leads in, where they end nothing leads out: null. */
  into: Best | null;
  out: Best | null;
  /** At most this many to either side of each unit. */
  each: number;
  /** The units: of a large selection the first. */
  of: readonly Node[];
}

export const NO_PATHS: Lit = { into: null, out: null, each: 0, of: [] };

export function lightPaths(graph: Graph, contributions: Strengths, units: readonly Node[]): Lit {
  if (units.length === 0) return NO_PATHS;
  const edges = graph.bundles.reduce((sum, bundle) => sum + bundle.edges, 0);
  const most = Math.max(1, Math.min(PATHS_IN_ALL, Math.floor(STEPS_IN_ALL / Math.max(1, edges))));
  const of = units.slice(0, most);
  const each = Math.max(1, Math.min(PATHS, Math.floor(PATHS_IN_ALL / of.length)));
  const side = (direction: "in" | "out", end: number) =>
    joined(
      of
        .filter(({ column }) => column !== end)
        .map(({ column, unit }) => bestPaths(graph, contributions, column, unit, each, direction)),
    );
  return { into: side("in", 0), out: side("out", graph.columns.length - 1), each, of };
}

/** Those of several units, the best of all first; null of no units. */
function joined(found: readonly Best[]): Best | null {
  if (found.length === 0) return null;
  return {
    paths: found.flatMap(({ paths }) => paths).sort((a, b) => b.strength - a.strength),
    total: found.reduce((sum, { total }) => sum + total, 0),
  };
}
