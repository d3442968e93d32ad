// Arrays as they travel: raw little-endian bytes with a dtype and a shape, row-major.

export type Dtype = "float32" | "float64" | "int32" | "uint8";
export type Numbers = Float32Array | Float64Array | Int32Array | Uint8Array;

export interface WireArray {
  /** Jupyter hands over a DataView, not necessarily at offset 0 of its buffer nor aligned. */
  data: ArrayBuffer | ArrayBufferView;
  dtype: Dtype;
  shape: readonly number[];
}

const WIDTH: Record<Dtype, number> = { float32: 4, float64: 8, int32: 4, uint8: 1 };

/** The numbers of `array`. Shares its memory where alignment allows: do not write to the result. */
export function decodeArray(array: WireArray): Numbers {
  const width = WIDTH[array.dtype];
  if (width === undefined) {
    throw new Error(`array dtype is "${array.dtype}"; expected one of ${Object.keys(WIDTH).join(", ")}`);
  }
  const length = array.shape.reduce((product, side) => product * side, 1);
  const bytes = bytesOf(array.data);
  if (bytes.byteLength !== length * width) {
    throw new Error(
      `array of shape ${array.shape.join(" × ")} and dtype ${array.dtype} needs ${length * width} bytes, ` +
        `but ${bytes.byteLength} came`,
    );
  }
  const aligned = bytes.byteOffset % width === 0 ? bytes : bytes.slice();
  return view(array.dtype, aligned.buffer as ArrayBuffer, aligned.byteOffset, length);
}

function bytesOf(data: ArrayBuffer | ArrayBufferView): Uint8Array {
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return new Uint8Array(data);
}

function view(dtype: Dtype, buffer: ArrayBuffer, offset: number, length: number): Numbers {
  switch (dtype) {
    case "float32":
      return new Float32Array(buffer, offset, length);
    case "float64":
      return new Float64Array(buffer, offset, length);
    case "int32":
      return new Int32Array(buffer, offset, length);
    case "uint8":
      return new Uint8Array(buffer, offset, length);
  }
}
