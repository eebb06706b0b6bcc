// What the programs here say of their checks, and how they wait: by asking again until it is there, never for a time.
let failed = 0;
let passed = 0;

export function check(what, ok) {
  console.log(`${ok ? "ok    " : "FAILED"} ${what}`);
  if (ok) passed++;
  else failed++;
}

export function skipped(what, why) {
  console.log(`skipped ${what}: ${why}`);
}

// Prints the sum and ends the program: with 1 when a check failed.
export function finish(name) {
  console.log(`${name}: ${passed} checks passed, ${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);
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
