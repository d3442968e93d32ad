// Numbers as people read them: a real minus sign, grouped thousands, three significant digits.

export function minus(text: string): string {
  return text.replace(/-/g, "−");
}

/** "1,797" */
export function formatCount(value: number): string {
  return value.toLocaleString("en-GB", { maximumFractionDigits: 0 });
}

/** Three significant digits: "−0.458", "12.3", "1.20e+5"; whole numbers below 1,000 stay whole. */
export function formatNumber(value: number, digits = 3): string {
  if (Number.isNaN(value)) return "not defined";
  if (!Number.isFinite(value)) return value > 0 ? "+∞" : "−∞";
  if (Number.isInteger(value) && Math.abs(value) < 1000) return minus(String(value));
  const size = Math.abs(value);
  const text = size >= 1e5 || size < 1e-4 ? value.toExponential(digits - 1) : value.toPrecision(digits);
  return minus(size >= 1e3 && size < 1e5 ? formatCount(value) : text);
}

/** "≈ −0.458 ± 0.004": both rounded where the error has its first digit. */
export function formatApproximate(value: number, error: number): string {
  if (!Number.isFinite(value)) return formatNumber(value);
  if (!(error > 0)) return formatNumber(value);
  const decimals = Math.min(12, Math.max(0, -Math.floor(Math.log10(error))));
  return minus(`≈ ${value.toFixed(decimals)} ± ${error.toFixed(decimals)}`);
}

/** Short enough for a cell: "−.46", "1", "12". */
export function formatCell(value: number): string {
  if (!Number.isFinite(value)) return "";
  const size = Math.abs(value);
  if (size >= 99.5) return size < 1000 ? minus(value.toFixed(0)) : minus(value.toExponential(0));
  if (size >= 9.95) return minus(value.toFixed(1));
  return minus(value.toFixed(2));
}

/** "16 × 8 × 8" */
export function formatShape(shape: readonly number[] | null): string {
  return shape ? shape.map(String).join(" × ") : "";
}

export function formatPercent(fraction: number): string {
  return `${Math.round(fraction * 100)} %`;
}

/** "12 %", "−35 %"; a small share is not called 0: "under 1 %". */
export function formatShare(share: number): string {
  return share !== 0 && Math.abs(share) < 0.005 ? "under 1 %" : minus(formatPercent(share));
}

/** "1 unit", "5 units" */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** What stands under a colour bar: its ends, and the middle of a diverging one, with signs. */
export function ticksOf(scale: { low: number; high: number; diverging: boolean }): string[] {
  const { low, high, diverging } = scale;
  const ticks = diverging ? [low, (low + high) / 2, high] : [low, high];
  return ticks.map((value) => (diverging && value > 0 ? "+" : "") + formatNumber(value));
}
