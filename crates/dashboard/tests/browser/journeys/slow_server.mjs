// What one types or presses while an answer is on its way is neither lost nor done twice.

import assert from "node:assert/strict";

export const scripts = [true];

export async function run(stage) {
  const project = await stage.project("Slow");
  const page = await stage.member();
  const rule = page.getByRole("group", { name: "Condition 1 of rule 1", exact: true });
  // Answers to forms wait until the journey lets them go.
  let held = [];
  let sent = 0;
  await page.route("**/segments/new", async (route) => {
    if (route.request().method() !== "POST") return route.continue();
    sent += 1;
    await new Promise((release) => held.push(release));
    return route.continue();
  });
  const onTheWay = async (count) => { while (sent < count) await page.waitForTimeout(20); };
  const release = () => { for (const each of held.splice(0)) each(); };

  await page.goto(`/environments/${project.key}/segments/new`);
  await page.getByLabel("Name", { exact: true }).fill("Slow");
  await rule.getByLabel("Trait or path").fill("country");
  await rule.getByLabel("Comparison").selectOption("IN");
  await onTheWay(1);
  await page.getByLabel("Description", { exact: true }).fill("typed meanwhile");
  await rule.getByLabel("Trait or path").fill("countries");
  // Another button waits for its turn.
  await page.getByRole("button", { name: "Add condition to rule 1", exact: true }).click();
  assert.equal(sent, 1);
  release();
  await rule.getByLabel("Values, one on each line").waitFor();
  await onTheWay(2);
  release();
  await page.getByRole("group", { name: "Condition 2 of rule 1", exact: true }).waitFor();
  assert.equal(await rule.getByLabel("Trait or path").inputValue(), "countries");
  assert.equal(await page.getByLabel("Description", { exact: true }).inputValue(), "typed meanwhile");

  // Pressed twice is done once.
  await page.getByRole("button", { name: "Remove condition 2 of rule 1" }).click();
  await onTheWay(3);
  await page.getByRole("button", { name: "Remove condition 2 of rule 1" }).click();
  release();
  await page.getByRole("group", { name: "Condition 2 of rule 1", exact: true }).waitFor({ state: "detached" });
  assert.equal(sent, 3);

  // A search that is typed and left behind leads nobody back.
  await project.feature({ name: "banner" });
  await page.unrouteAll();
  await page.goto(`/environments/${project.key}/features`);
  await page.getByRole("searchbox", { name: "Search features" }).fill("ban");
  await page.getByRole("link", { name: "Segments" }).click();
  await page.getByRole("heading", { name: "No segments yet" }).waitFor();
  await page.waitForTimeout(400);
  assert.match(page.url(), /\/segments$/);
}
