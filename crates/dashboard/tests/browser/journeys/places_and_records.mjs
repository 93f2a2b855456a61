// Every page of organisations, projects, environments and records: looked at, and each of its forms used once.

import assert from "node:assert/strict";

async function destroy(page, name) {
  await page.getByLabel(`Type ${name} to confirm`).fill(name);
  await page.getByRole("button", { name: `Delete ${name}` }).click();
}

async function usePlaces(stage, page, organisation) {
  await page.goto(`/organisations/${organisation}`);
  await stage.look(page, "organisation");
  const name = `Throwaway ${stage.script}`;
  await page.getByLabel("New project").fill(name);
  await page.getByRole("button", { name: "Make project" }).click();
  await stage.told(page, `${name} is there`);
  await page.getByLabel("New environment").fill("Production");
  await page.getByRole("button", { name: "Make environment" }).click();
  await stage.told(page, "Production is there");
  await page.getByRole("link", { name: "Settings", exact: true }).click();
  await page.getByLabel("Banner", { exact: true }).fill("Careful: customers");
  await page.getByRole("button", { name: "Save settings" }).click();
  await stage.told(page, "Settings saved");
  assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), "Production");
  await stage.look(page, "environment settings");
  await page.getByLabel("Name of the copy").fill("Production");
  await page.getByRole("button", { name: "Make the copy" }).click();
  await page.locator("#copy_name-problem").waitFor();
  await page.getByLabel("Name of the copy").fill("Staging");
  await page.getByRole("button", { name: "Make the copy" }).click();
  await stage.told(page, "Staging is a copy now");
  await page.getByRole("button", { name: "Switch versioning on" }).click();
  await stage.told(page, "published versions");
  await destroy(page, "Staging");
  await stage.told(page, "Staging is gone");
  await page.goto(`/organisations/${organisation}`);
  await page.getByRole("link", { name: `Settings of ${name}` }).click();
  assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), name);
  await page.getByLabel("New tag").fill("keep");
  await page.getByLabel("Permanent").check();
  await page.getByRole("button", { name: "Make tag" }).click();
  await stage.told(page, "The tag keep is there");
  await stage.look(page, "project settings");
  await destroy(page, name);
  await stage.told(page, `${name} is gone`);
}

async function usePeople(stage, page, organisation) {
  await page.goto(`/organisations/${organisation}/members`);
  await page.getByRole("button", { name: "Make link" }).click();
  assert.match(await page.locator("#new-link").innerText(), /\/invite\/.{20,}/);
  await stage.look(page, "members");
  await page.getByRole("button", { name: "Make void" }).first().click();
  await stage.told(page, "void");
  await page.getByRole("button", { name: /a plain member$/ }).first().click();
  await page.getByText("without an admin").waitFor();
  await page.goto(`/organisations/${organisation}/api-keys`);
  await page.getByLabel("Name", { exact: true }).fill(`terraform ${stage.script}`);
  await page.getByRole("button", { name: "Make key" }).click();
  const key = await page.locator("#new-key-text").innerText();
  const ask = () => fetch(`${stage.url}/api/v1/projects/`, { headers: { Authorization: `Api-Key ${key}` } });
  assert.equal((await ask()).status, 200);
  await stage.look(page, "API keys");
  await page.goto(`/organisations/${organisation}/api-keys`);
  assert.ok(!(await page.locator("body").innerText()).includes(key), "an API key is shown once");
  await page.getByRole("button", { name: `Revoke key terraform ${stage.script}` }).click();
  await stage.told(page, "revoked");
  assert.equal((await ask()).status, 401);
  await page.goto(`/organisations/${organisation}/permissions`);
  await stage.look(page, "permissions");
}

export async function run(stage) {
  const page = await stage.member();
  const project = await stage.project("Records");
  await project.feature({ name: "searched_for", initial_value: "one" });
  for (const agent of ["flagsmith-python-sdk/6.3.0", "flagsmith-js-sdk/9.0.0"]) {
    await fetch(`${stage.url}/api/v1/flags/`, { headers: { "X-Environment-Key": project.key, "User-Agent": agent } });
  }
  await usePlaces(stage, page, project.organisation);
  await usePeople(stage, page, project.organisation);

  await page.goto(`/projects/${project.id}/audit`);
  await stage.look(page, "audit log");
  await page.getByLabel("Search").fill("SEARCHED");
  if (!stage.script) await page.getByRole("button", { name: "Show", exact: true }).click();
  await page.getByText("New Environment created: Production").waitFor({ state: "detached" });
  await page.getByText("New Flag / Remote Config created: searched_for").first().waitFor();
  const files = await page.context().request;
  const csv = await files.get(`/projects/${project.id}/audit/file?format=csv&search=searched`);
  assert.equal(csv.status(), 200);
  assert.match(await csv.text(), /^sequence,at,.*\r\n\d+,.*searched_for/);

  for (const [name, path] of [
    ["usage", `/environments/${project.key}/usage?period=24h`],
    ["scheduled", `/environments/${project.key}/scheduled`],
    ["lifecycle", `/environments/${project.key}/lifecycle`],
    ["flagd", `/projects/${project.id}/flagd`],
    ["about", "/about"],
  ]) {
    const answer = await page.goto(path);
    assert.equal(answer.status(), 200, path);
    await stage.look(page, name);
  }
  await page.goto(`/projects/${project.id}/flagd`);
  await page.getByLabel("Serve this project to flagd").check();
  await page.getByRole("button", { name: "Save" }).click();
  await stage.told(page, "is served to flagd");
}
