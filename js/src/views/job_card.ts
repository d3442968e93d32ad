// A long computation in the place of the panel that it will fill: what it is, how far it is, and one button.

import { actionOf, type Job, type JobAction, progressWords } from "../core/job.ts";
import { button, make, setText } from "./dom.ts";

const FACES: Record<JobAction, [string, string]> = {
  start: ["compute", "start this computation"],
  cancel: ["cancel", "stop this computation"],
};

export class JobCard {
  readonly node: HTMLElement;
  private readonly title = make("span", { class: "nbw-title" });
  private readonly text = make("p", { class: "nbw-job-text" });
  private readonly count = make("span", { class: "nbw-how" });
  private readonly done = make("i");
  private readonly bar = make("div", { class: "nbw-progress", role: "progressbar" }, this.done);
  private readonly press: HTMLButtonElement;
  private job: Job | null = null;

  constructor(
    ask: (action: JobAction) => void,
    private readonly say: (text: string) => void,
    signal: AbortSignal,
  ) {
    this.press = button("compute", "", () => undefined, signal);
    // The second click of a double click would stop what the first one has just started.
    const pressed = (event: MouseEvent) => this.job && event.detail < 2 && ask(actionOf(this.job));
    this.press.addEventListener("click", pressed, { signal });
    const progress = make("div", { class: "nbw-job-progress" }, this.bar, this.count);
    const inside = make("div", { class: "nbw-job-inside" }, this.text, progress, this.press);
    this.node = make("div", { class: "nbw-panel nbw-job", role: "group" }, this.title, inside);
  }

  /** Changes what is there instead of making it anew: the button keeps the focus. */
  paint(job: Job): void {
    const news = this.job?.state !== job.state;
    this.job = job;
    this.node.dataset.state = job.state;
    this.node.setAttribute("aria-label", job.title);
    this.title.title = job.title;
    setText(this.title, job.title);
    setText(this.text, job.text);
    const [face, title] = FACES[actionOf(job)];
    setText(this.press, face);
    this.press.title = title;
    this.paintProgress(job);
    if (news) this.say(`${job.title}: ${job.state}`);
  }

  /** The job has ended, or another layer is shown: what was announced of it holds no more. */
  clear(): void {
    if (this.job) this.say("");
    this.job = null;
  }

  private paintProgress(job: Job): void {
    (this.bar.parentElement as HTMLElement).hidden = job.state !== "running";
    const { bar } = this;
    bar.setAttribute("aria-label", job.title);
    bar.setAttribute("aria-valuemin", "0");
    const known = job.total > 0;
    const share = known ? Math.min(1, job.done / job.total) : 0;
    // Without these two, a progress bar is one of unknown length.
    for (const [name, value] of [["valuemax", job.total] as const, ["valuenow", job.done] as const]) {
      if (known) bar.setAttribute(`aria-${name}`, String(value));
      else bar.removeAttribute(`aria-${name}`);
    }
    bar.classList.toggle("nbw-unknown-length", !known);
    this.done.style.width = `${100 * share}%`;
    setText(this.count, progressWords(job));
  }

  place(width: number): void {
    this.node.style.width = `${width}px`;
  }
}
