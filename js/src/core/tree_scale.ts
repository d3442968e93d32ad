// Heights of the tree on a horizontal axis: the root on the left, the leaves (height 0) on the right.

export interface TreeScale {
  x(height: number): number;
  height(x: number): number;
}

/** Room left of the root, so that the handle of a cut at the very top is not cut off. */
const MARGIN = 10;

export function treeScale(top: number, width: number): TreeScale {
  const reach = top > 0 ? top : 1;
  const room = Math.max(1, width - MARGIN);
  return {
    x: (height) => MARGIN + room * (1 - height / reach),
    height: (x) => Math.min(reach, Math.max(0, reach * (1 - (x - MARGIN) / room))),
  };
}
