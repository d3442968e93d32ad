// A long computation as Python tells of it. Twin: nbwidgets_nn/widgets/job.py.

import { formatCount } from "./format.ts";

export type JobState = "offered" | "running" | "cancelled" | "failed";
export type JobAction = "start" | "cancel";

export interface Job {
  title: string;
  state: JobState;
  text: string;
  done: number;
  /** 0 when it is not known how many steps there are. */
  total: number;
}

const STATES: readonly string[] = ["offered", "running", "cancelled", "failed"];

/** Reads the trait; anything that is no job is none. */
export function readJob(raw: unknown): Job | null {
  const given = (raw ?? {}) as Partial<Job>;
  if (!STATES.includes(given.state ?? "")) return null;
  const count = (value: unknown) => Math.max(0, Number(value) || 0);
  return {
    title: String(given.title ?? ""),
    state: given.state as JobState,
    text: String(given.text ?? ""),
    done: count(given.done),
    total: count(given.total),
  };
}

/** What the button of a job asks for. */
export function actionOf(job: Job): JobAction {
  return job.state === "running" ? "cancel" : "start";
}

/** "120 of 512"; nothing when the number of steps is not known. */
export function progressWords({ done, total }: Job): string {
  return total > 0 ? `${formatCount(done)} of ${formatCount(total)}` : "";
}
