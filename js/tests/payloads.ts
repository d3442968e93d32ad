// The golden payloads that the Python tests write.

import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { fromBase64 } from "../src/core/unpack.ts";

export const FOLDER = join(dirname(fileURLToPath(import.meta.url)), "../../tests/payloads");

/** A payload's arrays are {"base64", "dtype", "shape"}; Jupyter's are {"data", "dtype", "shape"}. */
export function revive(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("base64" in value)) return value;
  const { base64, ...rest } = value as { base64: string };
  return { ...rest, data: fromBase64(base64) };
}
