// Arrays inside a saved page: gzip in base64, unpacked into the form that Jupyter delivers.

import type { WireArray } from "./arrays.ts";

export interface PackedArray {
  gzip: string;
  dtype: WireArray["dtype"];
  shape: number[];
}

function isPacked(value: object): value is PackedArray {
  return typeof (value as PackedArray).gzip === "string" && "dtype" in value && "shape" in value;
}

/** The same state with every packed array unpacked, however deep it lies. */
export async function unpack(value: unknown): Promise<unknown> {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return Promise.all(value.map(unpack));
  if (isPacked(value)) {
    return { data: await gunzip(fromBase64(value.gzip)), dtype: value.dtype, shape: value.shape };
  }
  const entries = Object.entries(value).map(async ([key, item]) => [key, await unpack(item)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

export function fromBase64(text: string): Uint8Array {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

async function gunzip(bytes: Uint8Array): Promise<ArrayBuffer> {
  const packed = new Response(bytes as BodyInit).body as ReadableStream<BufferSource>;
  return new Response(packed.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}
