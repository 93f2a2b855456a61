// Journey 9: a program gets a server key of its own, the key is revoked, and the SDK that uses it is refused at once.

import assert from "node:assert/strict";

export async function run(stage) {
  const project = await stage.project("Keys");
  await project.feature({ name: "banner", initial_value: "hello", default_enabled: true });
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
  // What the SDK tells its program after it has asked for what it evaluates by itself.
  let problem;
  const onEnvironmentChange = (error) => { problem = error?.message ?? null; };
  const sdk = stage.sdk(key, { enableLocalEvaluation: true, environmentRefreshIntervalSeconds: 3600, onEnvironmentChange });
  const refusal = async () => {
    await sdk.updateEnvironment();
    return problem;
  };
  assert.deepEqual(await stage.sdkFlag(sdk, "banner", "ada"), { enabled: true, value: "hello" });
  await stage.look(page, "keys, made");

  await page.goto(path);
  assert.ok(!(await page.locator("body").innerText()).includes(key), "a key is masked");
  await page.getByRole("button", { name: "Show key checkout service" }).click();
  await page.locator("#shown-key").waitFor();
  assert.equal(await page.locator("#shown-key").innerText(), key);

  const revoke = async () => {
    await page.getByRole("link", { name: "Revoke key checkout service" }).click();
    await stage.confirm(page, "checkout service", "Revoke the key");
    await stage.told(page, "revoked");
  };
  await page.getByRole("link", { name: "Revoke key checkout service" }).click();
  await page.getByRole("heading", { name: "Revoke the key checkout service" }).waitFor();
  await stage.look(page, "key-revoke");
  await page.goto(path);
  assert.equal(await refusal(), null);
  await revoke();
  assert.match(await refusal(), /403/);
  await page.getByRole("button", { name: "Undo" }).click();
  await stage.told(page, "works again");
  assert.equal(await refusal(), null);
  await revoke();
  await page.getByRole("link", { name: "Delete key checkout service" }).click();
  await stage.confirm(page, "checkout service", "Delete the key");
  await stage.told(page, "deleted");
  assert.match(await refusal(), /403/);

  const audit = await page.goto(`/projects/${project.id}/audit`);
  assert.equal(audit.status(), 200);
  await page.getByText("Server-side key deleted: checkout service").waitFor();
}
