// Journey 6: a change is planned for a time, is seen as planned, and is served when its time has come; one can go back.

import assert from "node:assert/strict";

const at = (time) => time.toISOString().slice(0, 19);

export async function run(stage) {
  const project = await stage.project("Schedule");
  const made = await project.feature({ name: "sale", initial_value: "winter" });
  const page = await stage.member();
  const path = `/environments/${project.key}/features/${made.id}`;

  await page.goto(`${path}/schedule`);
  await stage.look(page, "feature-schedule-direct");
  await page.getByRole("button", { name: /by versions from now on/ }).click();
  await stage.told(page, "From now on every change here is a version.");

  await page.goto(`${path}/schedule`);
  const when = page.getByLabel("When, in UTC");
  await when.fill("2020-01-01T10:00");
  await page.getByRole("button", { name: "Plan this change" }).click();
  await page.getByText("This time has passed.").waitFor();
  await when.fill(at(new Date(Date.now() + 86_400_000)).slice(0, 16));
  await page.getByLabel("On", { exact: true }).check();
  await page.getByLabel("Value", { exact: true }).fill("summer");
  await page.getByRole("button", { name: "Plan this change" }).click();
  await stage.told(page, "The change of sale is planned.");
  await page.locator("#planned").getByText("summer").waitFor();
  await stage.look(page, "feature-schedule");
  await page.getByRole("button", { name: /Take back the change/ }).click();
  await stage.told(page, "The planned change was taken back.");
  await page.getByText("Nothing is planned.").waitFor();

  // Sooner than a person would: by the API, which takes seconds.
  const soon = new Date(Date.now() + 3000).toISOString();
  const environment = project.environments[0].id;
  const states = { environment_feature_versions: `environments/${environment}/features/${made.id}/versions/` };
  await stage.api("POST", states.environment_feature_versions, {
    live_from: soon,
    publish_immediately: true,
    feature_states_to_update: [{ feature_segment: null, enabled: true, feature_state_value: { type: "unicode", string_value: "soon" } }],
  });
  await page.goto(`${path}/schedule`);
  await page.locator("#planned").getByText("soon").waitFor();
  assert.equal((await stage.flags(project.key)).sale.value, "winter");
  for (let tries = 0; tries < 60 && (await stage.flags(project.key)).sale.value !== "soon"; tries += 1) await new Promise((done) => setTimeout(done, 250));
  assert.deepEqual((await stage.flags(project.key)).sale, { enabled: true, value: "soon" });

  await page.goto(`${path}/versions`);
  await page.getByText("Served now").waitFor();
  await stage.look(page, "feature-versions");
  await page.getByRole("button", { name: "Go back to this" }).last().click();
  await stage.told(page, "sale is as it was in that version.");
  assert.deepEqual((await stage.flags(project.key)).sale, { enabled: false, value: "winter" });
}
