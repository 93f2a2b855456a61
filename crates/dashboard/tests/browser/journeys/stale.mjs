// Journey 10: a flag that nobody has changed for long is found and archived; another is deleted by its name.

import assert from "node:assert/strict";

export async function run(stage) {
  const project = await stage.project("Stale");
  await stage.api("PATCH", `projects/${project.id}/`, { stale_flags_limit_days: 0 });
  const tag = await stage.api("POST", `projects/${project.id}/tags/`, { label: "forever <b>", color: "#3388ff", is_permanent: true, project: project.id });
  await project.feature({ name: "kill_switch", tags: [tag.id] });
  const old = await project.feature({ name: "old_experiment" });
  const page = await stage.member();

  await page.goto(`/environments/${project.key}/features`);
  await page.getByRole("combobox", { name: "State" }).selectOption("stale");
  if (!stage.script) await page.getByRole("button", { name: "Show" }).click();
  await page.getByRole("switch", { name: "kill_switch" }).waitFor({ state: "detached" });
  await page.getByText("Stale", { exact: true }).locator("visible=true").last().waitFor();
  await page.getByRole("checkbox", { name: "Tick old_experiment" }).check();
  await stage.look(page, "features-stale");
  await page.getByRole("button", { name: "Archive" }).click();
  await stage.told(page, "1 feature was archived.");
  await page.getByRole("heading", { name: "Nothing like that" }).waitFor();

  await page.goto(`/environments/${project.key}/features?state=archived`);
  await page.getByRole("link", { name: "old_experiment" }).click();
  await page.getByText("Archived", { exact: true }).waitFor();
  await page.getByRole("link", { name: "Settings" }).last().click();
  await page.getByRole("link", { name: "Delete" }).click();
  const field = page.getByLabel("Type old_experiment to confirm");
  await field.waitFor();
  const button = page.getByRole("button", { name: "Delete for good" });
  await field.fill("something else");
  if (stage.script) assert.equal(await button.isDisabled(), true);
  else {
    await button.click();
    await page.getByText("This is not the feature's name.").waitFor();
  }
  await stage.look(page, "feature-delete");
  await field.fill("old_experiment");
  await button.click();
  await stage.told(page, "old_experiment was deleted.");
  const left = await stage.api("GET", `projects/${project.id}/features/`);
  assert.deepEqual(left.results.map((each) => each.name), ["kill_switch"]);
  assert.notEqual(old.id, left.results[0].id);

  // A flag that is expected to be gone is on the lifecycle page until it is archived.
  await page.goto(`/environments/${project.key}/features`);
  await page.getByRole("link", { name: "kill_switch" }).click();
  await page.getByRole("link", { name: "Settings" }).last().click();
  await page.getByLabel("Expected to be gone by").fill("2024-02-29");
  await page.getByRole("button", { name: "Save settings" }).click();
  await stage.told(page, "The settings of kill_switch were saved.");
  await page.getByText("Should be gone since 2024-02-29").waitFor();
  await stage.look(page, "feature-settings-removal");
  await page.goto(`/environments/${project.key}/lifecycle`);
  const due = page.getByRole("region", { name: "Expected to be gone" });
  await due.getByText("Overdue").waitFor();
  await stage.look(page, "lifecycle");
  await due.getByRole("checkbox", { name: "Choose kill_switch" }).check();
  await due.getByRole("button", { name: "Archive chosen flags that are due" }).click();
  await stage.told(page, "1 flag archived.");
  await due.getByText("No flag is due").waitFor();
}
