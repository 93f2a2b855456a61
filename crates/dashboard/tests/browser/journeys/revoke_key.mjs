// A program gets a server key of its own, the key is revoked, and the program is refused at once.

import assert from "node:assert/strict";

/** Asks as SDKs that evaluate by themselves do. */
async function document(stage, key) {
  const answer = await fetch(`${stage.url}/api/v1/environment-document/`, { headers: { "X-Environment-Key": key } });
  return answer.status;
}

export async function run(stage) {
  const project = await stage.project("Keys");
  const path = `/environments/${project.key}/keys`;
  const page = await stage.member();

  await page.goto(path);
  await page.getByRole("heading", { name: "No server key yet" }).waitFor();
  await page.getByRole("button", { name: "Make key" }).click();
  await page.locator(".field-problem").waitFor();
  await page.getByLabel("Name").fill("checkout service");
  await page.getByRole("button", { name: "Make key" }).click();
  const key = await page.locator("#shown-key").innerText();
  assert.match(key, /^ser\./);
  assert.equal(await document(stage, key), 200);
  await stage.look(page, "keys, made");

  await page.goto(path);
  assert.ok(!(await page.locator("body").innerText()).includes(key), "a key is masked");
  await page.getByRole("button", { name: "Show key checkout service" }).click();
  await page.locator("#shown-key").waitFor();
  assert.equal(await page.locator("#shown-key").innerText(), key);

  await page.getByRole("button", { name: "Revoke key checkout service" }).click();
  await stage.told(page, "revoked");
  assert.equal(await document(stage, key), 403);
  await page.getByRole("button", { name: "Undo" }).click();
  await stage.told(page, "works again");
  assert.equal(await document(stage, key), 200);
  await page.getByRole("button", { name: "Revoke key checkout service" }).click();
  await stage.told(page, "revoked");
  await page.getByRole("button", { name: "Delete key checkout service" }).click();
  await stage.told(page, "deleted");
  assert.equal(await document(stage, key), 403);

  const audit = await page.goto(`/projects/${project.id}/audit`);
  assert.equal(audit.status(), 200);
  await page.getByText("Server-side key deleted: checkout service").waitFor();
}
