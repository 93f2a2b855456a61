// A superuser hides a part of the dashboard by one of its own flags, and shows it again.

import assert from "node:assert/strict";

export async function run(stage) {
  const project = await stage.project("Own flags");
  const made = await project.feature({ name: "banner" });
  const page = await stage.member();

  await page.goto("/about");
  await page.getByRole("link", { name: "What the dashboard shows" }).click();
  await page.getByRole("heading", { name: "What the dashboard shows" }).waitFor();
  await stage.look(page, "own-flags");
  const hidden = [
    ["integration_data", `/projects/${project.id}/flagd`, 404],
    ["improved_identity_overrides", `/environments/${project.key}/features/${made.id}/identities/new`, 404],
  ];
  for (const [flag, path, status] of hidden) {
    assert.equal((await page.request.get(path)).status(), 200);
    try {
      await page.getByRole("switch", { name: flag, checked: true }).click();
      await stage.told(page, `${flag} is off.`);
      assert.equal((await page.request.get(path)).status(), status);
    } finally {
      await page.getByRole("switch", { name: flag, checked: false }).click();
    }
    await stage.told(page, `${flag} is on.`);
    assert.equal((await page.request.get(path)).status(), 200);
  }
  await page.getByText("The dashboard's own flag integration_data is switched off").first().waitFor();
  await page.goto(`/environments/${project.key}/features/${made.id}`);
  await page.getByRole("heading", { name: "For single identities" }).waitFor();
}
