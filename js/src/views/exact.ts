// Asks Python for the exact value behind a coded cell: after a short rest, and only for the last cell.

export interface ExactRequest {
  type: "exact";
  request: number;
  matrix: string;
  row: number;
  column: number;
}

/** Long enough that a moving pointer asks nothing. */
const REST = 80;

export class ExactAsker {
  private request = 0;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private wanted = "";
  private answer: { key: string; value: number } | null = null;

  constructor(
    private readonly send: (request: ExactRequest) => void,
    private readonly answered: () => void,
    signal: AbortSignal,
  ) {
    signal.addEventListener("abort", () => this.forget(), { once: true });
  }

  /** The exact value of a cell when it is known; otherwise null, and the question is on its way. */
  valueOf(matrix: string, row: number, column: number): number | null {
    const key = `${matrix} ${row} ${column}`;
    if (this.answer?.key === key) return this.answer.value;
    if (this.wanted !== key) {
      this.forget();
      this.wanted = key;
      this.timer = setTimeout(
        () => this.send({ type: "exact", request: ++this.request, matrix, row, column }),
        REST,
      );
    }
    return null;
  }

  /** Takes a message from Python; answers to earlier questions are ignored. */
  receive(message: unknown): void {
    const { type, request, value } = (message ?? {}) as { type?: string; request?: number; value?: unknown };
    if (type !== "exact" || request !== this.request || this.wanted === "") return;
    this.answer = { key: this.wanted, value: value === null ? Number.NaN : Number(value) };
    this.answered();
  }

  forget(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.wanted = "";
    this.answer = null;
    // A late answer must not be taken for the next question's.
    this.request++;
  }
}
