import { expect, it } from "vitest";
import { actionOf, progressWords, readJob } from "../../src/core/job.ts";

const running = { title: "EI", state: "running", text: "6 pairs", done: 120, total: 1512 };

it.each([null, undefined, {}, { state: "done" }, "running"])("reads %j as no job", (raw) => {
  expect(readJob(raw)).toBeNull();
});

it("reads what Python sends, and fills what is missing", () => {
  expect(readJob(running)).toEqual(running);
  expect(readJob({ state: "offered" })).toEqual({ title: "", state: "offered", text: "", done: 0, total: 0 });
});

it.each([
  ["offered", "start"],
  ["running", "cancel"],
  ["cancelled", "start"],
  ["failed", "start"],
])("the button of a job that is %s asks to %s", (state, action) => {
  const job = readJob({ ...running, state });
  expect(job && actionOf(job)).toBe(action);
});

it("counts steps where their number is known", () => {
  const words = (more: object) => {
    const job = readJob({ ...running, ...more });
    return job && progressWords(job);
  };
  expect(words({})).toBe("120 of 1,512");
  expect(words({ total: 0 })).toBe("");
});
