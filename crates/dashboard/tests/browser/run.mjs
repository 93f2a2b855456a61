// Runs journeys in one headless Chromium against a running server, each with and without script.
//
//   node run.mjs [journey …]     all of `journeys/*.mjs` without names
//
// SERVER_URL, NODE_FOLDER (with the packages of package.json); SIGN_IN_LINK where nobody has signed in yet, else MEMBER_EMAIL and
// MEMBER_PASSWORD; CHROMIUM (default /usr/bin/chromium); SCREENSHOTS, a folder: then pictures are left there.

import { readdirSync } from "node:fs";
import { Stage } from "./stage.mjs";

const here = new URL("journeys/", import.meta.url);
const all = readdirSync(here).filter((file) => file.endsWith(".mjs")).map((file) => file.replace(".mjs", "")).sort();
const asked = process.argv.slice(2);
const stage = await Stage.open();
// Each step has its own patience; this is for what has none.
const LIMIT = 180_000;
const inTime = (journey) => {
  let timer;
  const late = new Promise((_, refuse) => { timer = setTimeout(() => refuse(new Error("takes longer than three minutes")), LIMIT); });
  return Promise.race([journey, late]).finally(() => clearTimeout(timer));
};
let failed = 0;
try {
  for (const name of asked.length ? asked : all) {
    const journey = await import(new URL(`${name}.mjs`, here));
    for (const script of journey.scripts ?? [true, false]) {
      const label = `${name}${script ? "" : ", without script"}`;
      const started = performance.now();
      try {
        await inTime(stage.play(label, script, journey.run));
        console.log(`ok      ${label} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
      } catch (error) {
        failed += 1;
        console.log(`FAILED  ${label}\n${error.stack}\n`);
      }
    }
  }
} finally {
  await stage.close();
}
console.log(failed ? `${failed} failed` : "all journeys passed");
process.exitCode = failed ? 1 : 0;
