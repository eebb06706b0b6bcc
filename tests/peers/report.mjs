// What the programs here say of their checks, and how they wait: by asking again until it is there, never for a time.
import { appendFileSync } from "node:fs";

const SKIPPED = 77;
let failed = 0;
let passed = 0;
let left = 0;

export function check(what, ok) {
  console.log(`${ok ? "ok    " : "FAILED"} ${what}`);
  if (ok) passed++;
  else failed++;
}

// Something that this machine does not have: no failure, and not passed either. The reason goes to the file
// SIDELINE_SKIPPED too.
export function skipped(what, why) {
  left++;
  console.log(`skipped ${what}: ${why}`);
  if (process.env.SIDELINE_SKIPPED) appendFileSync(process.env.SIDELINE_SKIPPED, `${what}: ${why}\n`);
}

// Prints the sum and ends the program: with 1 when a check failed, else with 77 when one was skipped.
export function finish(name) {
  console.log(`${name}: ${passed} checks passed, ${failed} failed${left > 0 ? `, ${left} skipped` : ""}`);
  process.exit(failed > 0 ? 1 : left > 0 ? SKIPPED : 0);
}

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

export async function until(what, test) {
  for (let i = 0; i < 400; i++) {
    const found = await test();
    if (found) return found;
    await sleep(25);
  }
  throw new Error(`${what} did not come`);
}
