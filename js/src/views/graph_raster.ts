// The same edges without WebGL, pixel by pixel: several times as fast as strokes of a 2D canvas, which know nothing of
// edges.
//
// All edges of a bundle run over the same columns of pixels, and at each of them their heights are one linear function
// of the heights of their ends. So the loop goes over columns, then over edges: each pixel column stays in the cache.
// The strongest come first and the others go under them: an unfinished picture shows what matters, and where nothing can
// be seen through any more there is nothing to do.

import { type Course, curveY } from "../core/graph_curve.ts";
import { parseHex } from "../core/raster.ts";
import { DASH, type EdgePicture, type EdgeRun, lookOf, MARKED_LOOK, markOf } from "./graph_edges.ts";

/** Edges of one slice, at most: a caller with little time can stop after each one and go on later. */
const SLICE = 512;
/** Edges times pixel columns of one slice: a millisecond or two. */
const WORK = 50_000;
/** Slices of one run before it is the next one's turn: its pixels stay in the cache meanwhile. */
const TURN = 8;
/** What lies under this changes a pixel by a tenth of a level at most. */
const OPAQUE = 1 - 0.1 / 255;

export class EdgeRaster {
  readonly width: number;
  readonly height: number;
  /** Red, green, blue and opacity of each pixel, columns one after the other, the first three times the fourth. */
  private readonly ink: Float32Array;
  /** Of each pixel of a column itself, or where it is opaque a later one: on the way to the next that is not. */
  private readonly open: Int32Array;
  private readonly numbers = new Float32Array(3 * SLICE);
  private readonly looks = new Float32Array(5 * SLICE);
  private readonly dashed = new Uint8Array(SLICE);
  private readonly ends = new Float64Array(2 * SLICE);

  constructor(private readonly picture: EdgePicture) {
    const { width, height, ratio } = picture;
    this.width = Math.max(1, Math.round(width * ratio));
    this.height = Math.max(1, Math.round(height * ratio));
    this.ink = new Float32Array(4 * this.width * this.height);
    this.open = new Int32Array(this.width * (this.height + 1));
    for (let i = 0; i < this.open.length; i++) this.open[i] = i % (this.height + 1);
  }

  /**
   * Draws all edges, the last one on top, from the top to the ground; yields the share that is drawn. Runs beside each
   * other take turns, so that an unfinished picture has the strongest of every layer.
   */
  *slices(): Generator<number> {
    const { runs, edges } = this.picture;
    const total = Math.max(1, edges.count);
    let drawn = 0;
    let left = [...runs]
      .reverse()
      .filter(({ count }) => count > 0)
      .map((run) => this.wholeOf(run));
    while (left.length > 0) {
      for (const [k, part] of left.entries()) {
        if (left.slice(0, k).some((above) => above.count > 0 && overlap(above.run, part.run))) continue;
        for (let slice = 0; slice < TURN && part.count > 0; slice++) {
          const count = Math.min(part.size, part.count);
          part.count -= count;
          this.prepare(part.run.first + part.count, count);
          for (const column of part.columns) this.drawColumn(column, count);
          drawn += count;
          yield drawn / total;
        }
      }
      left = left.filter(({ count }) => count > 0);
    }
  }

  private wholeOf(run: EdgeRun): Part {
    const columns = this.columnsOf(run);
    const size = Math.min(SLICE, Math.ceil(WORK / Math.max(1, columns.length)));
    return { run, columns, size, count: run.count };
  }

  /** Writes the picture as bytes, rows one after the other, as ImageData has them. */
  writeTo(bytes: Uint8ClampedArray): void {
    const { ink, width, height } = this;
    for (let y = 0, at = 0; y < height; y++) {
      for (let x = 0; x < width; x++, at += 4) {
        const from = 4 * (x * height + y);
        const opacity = ink[from + 3];
        if (opacity === 0) {
          bytes[at] = bytes[at + 1] = bytes[at + 2] = bytes[at + 3] = 0;
          continue;
        }
        bytes[at] = ink[from] / opacity;
        bytes[at + 1] = ink[from + 1] / opacity;
        bytes[at + 2] = ink[from + 2] / opacity;
        bytes[at + 3] = 255 * opacity;
      }
    }
  }

  /** What the height of an edge is made of at each column of pixels that the run crosses. */
  private columnsOf({ course }: EdgeRun): Column[] {
    const { ratio } = this.picture;
    const first = Math.max(0, Math.ceil(course.x0 * ratio - 0.5));
    const last = Math.min(this.width - 1, Math.floor(course.x1 * ratio - 0.5));
    const columns: Column[] = [];
    for (let x = first; x <= last; x++) {
      const [left, middle, right] = [x, x + 0.5, x + 1].map((at) => partsAt(course, at / ratio, ratio));
      const dash = ((x + 0.5) / ratio - course.x0) % DASH.every < DASH.ink;
      columns.push({ x, dash, height: middle, slope: right.map((part, k) => part - left[k]) });
    }
    return columns;
  }

  /** Looks and ends of the edges of a slice, in device pixels. */
  private prepare(from: number, count: number): void {
    const { edges, camera, ratio, marks, table, ink } = this.picture;
    const { looks, dashed, ends, numbers } = this;
    edges.write(numbers, from, count);
    for (let k = 0; k < count; k++) {
      const strength = numbers[3 * k + 2];
      ends[2 * k] = ratio * (numbers[3 * k] * camera.scale + camera.dy);
      ends[2 * k + 1] = ratio * (numbers[3 * k + 1] * camera.scale + camera.dy);
      const mark = markOf(strength);
      dashed[k] = mark < 0 ? 0 : 1;
      const { width, opacity, code } = mark < 0 ? lookOf(strength, table, ink) : MARKED_LOOK;
      // Half the width, and a pixel's half more for the soft rim.
      looks[5 * k] = (width * ratio + 1) / 2;
      looks[5 * k + 1] = opacity;
      if (mark < 0) for (let c = 0; c < 3; c++) looks[5 * k + 2 + c] = table[3 * code + c];
      else looks.set(parseHex(marks[mark]), 5 * k + 2);
    }
  }

  private drawColumn({ x, dash, height: [a, b, c], slope: [da, db, dc] }: Column, count: number): void {
    const { looks, dashed, ends, ink, open, height } = this;
    const start = 4 * x * height;
    const rows = x * (height + 1);
    for (let k = count - 1; k >= 0; k--) {
      if (dashed[k] === 1 && !dash) continue;
      const y0 = ends[2 * k];
      const y1 = ends[2 * k + 1];
      const reach = looks[5 * k];
      const slope = da * y0 + db * y1 + dc;
      // The middle of the edge, from the middle of the first pixel.
      const y = a * y0 + b * y1 + c - 0.5;
      const steep = Math.sqrt(1 + slope * slope);
      const most = reach * steep;
      const last = Math.min(height - 1, Math.floor(y + most)) | 0;
      let row = Math.max(0, Math.ceil(y - most)) | 0;
      if (row > last) continue;
      row = openFrom(open, rows, row);
      if (row > last) continue;
      const thin = 1 / steep;
      const opacity = looks[5 * k + 1];
      const red = looks[5 * k + 2];
      const green = looks[5 * k + 3];
      const blue = looks[5 * k + 4];
      for (let at = start + 4 * row; row <= last; row++, at += 4) {
        const cover = reach - Math.abs(row - y) * thin;
        const above = ink[at + 3];
        if (above > OPAQUE) continue;
        const share = (1 - above) * (cover < 1 ? opacity * cover : opacity);
        ink[at] += red * share;
        ink[at + 1] += green * share;
        ink[at + 2] += blue * share;
        ink[at + 3] = above + share;
        if (above + share > OPAQUE) open[rows + row] = row + 1;
      }
    }
  }
}

/** The first row from `row` on through which something can still be seen; the height if there is none. */
function openFrom(open: Int32Array, rows: number, row: number): number {
  while (open[rows + row] !== row) {
    open[rows + row] = open[rows + open[rows + row]];
    row = open[rows + row];
  }
  return row;
}

/** What is left of a run: its first `count` edges, so many of them in a slice. */
interface Part {
  run: EdgeRun;
  columns: Column[];
  size: number;
  count: number;
}

function overlap({ course: one }: EdgeRun, { course: other }: EdgeRun): boolean {
  return one.x0 <= other.x1 && other.x0 <= one.x1;
}

/** One column of pixels: the height there is `height[0] y0 + height[1] y1 + height[2]`, and the slope likewise. */
interface Column {
  x: number;
  /** Whether a dashed edge has ink here. */
  dash: boolean;
  height: number[];
  slope: number[];
}

/** The parts of `curveY`, which is linear in the two heights and the lane. */
function partsAt({ x0, x1, gaps, lane }: Course, x: number, ratio: number): number[] {
  const t = Math.min(1, Math.max(0, (x - x0) / (x1 - x0)));
  return [curveY(t, 1, 0, gaps, 0), curveY(t, 0, 1, gaps, 0), ratio * curveY(t, 0, 0, gaps, lane)];
}
