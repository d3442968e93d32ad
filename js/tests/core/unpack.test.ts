import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { decodeArray, type WireArray } from "../../src/core/arrays.ts";
import { unpack } from "../../src/core/unpack.ts";

it("unpacks arrays wherever they lie and leaves the rest as it is", async () => {
  const numbers = Float64Array.of(1, -2.5, Number.NaN);
  const gzip = gzipSync(new Uint8Array(numbers.buffer)).toString("base64");
  const packed = { a: [{ values: { gzip, dtype: "float64", shape: [3] } }], b: null, c: "text", d: 4 };
  const state = (await unpack(packed)) as { a: { values: WireArray }[]; b: null; c: string; d: number };
  expect(Array.from(decodeArray(state.a[0].values))).toEqual([1, -2.5, Number.NaN]);
  expect([state.b, state.c, state.d]).toEqual([null, "text", 4]);
});
