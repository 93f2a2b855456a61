// Journey 2: a feature is made in the dashboard, seen by an SDK, switched on in the list, taken back, and found again.

import assert from "node:assert/strict";

export async function run(stage) {
  const project = await stage.project("Create");
  const page = await stage.member();

  await page.goto(`/environments/${project.key}/features`);
  await page.getByRole("heading", { name: "No features yet" }).waitFor();
  await stage.look(page, "features-empty");
  await page.getByRole("link", { name: "Create the first feature" }).click();
  await page.getByRole("button", { name: "Create feature" }).last().click();
  const name = page.getByLabel("Name", { exact: true });
  await page.locator('#name[aria-invalid="true"]').waitFor();
  await stage.look(page, "feature-create-problem");
  await name.fill("checkout_v2");
  await page.getByLabel("Description").fill("<script>alert(1)</script> the new checkout");
  await page.getByLabel("Value", { exact: true }).fill('{"steps": 3}');
  await page.getByRole("button", { name: "Create feature" }).last().click();
  await stage.told(page, "checkout_v2 was made.");
  const sdk = stage.sdk(project.key);
  assert.deepEqual(await stage.sdkFlag(sdk, "checkout_v2"), { enabled: false, value: '{"steps": 3}' });

  await project.feature({ name: "search_box", initial_value: "42", default_enabled: true });
  await page.goto(`/environments/${project.key}/features`);
  await page.getByRole("switch", { name: "checkout_v2" }).click();
  await stage.told(page, "checkout_v2 is on in Development.");
  assert.equal((await stage.sdkFlag(sdk, "checkout_v2")).enabled, true);
  await page.getByRole("button", { name: "Undo" }).click();
  await stage.told(page, "checkout_v2 is off in Development.");
  assert.equal((await stage.sdkFlag(sdk, "checkout_v2")).enabled, false);

  await stage.look(page, "features");
  const search = page.getByRole("searchbox", { name: "Search features" });
  if (stage.script) {
    await page.locator("body").press("/");
    await page.keyboard.type("search");
  } else {
    await search.fill("search");
    await page.getByRole("button", { name: "Show" }).click();
  }
  await page.getByRole("switch", { name: "checkout_v2" }).waitFor({ state: "detached" });
  await page.getByRole("link", { name: "search_box" }).waitFor();
  assert.match(page.url(), /q=search/);
  if (stage.script) {
    assert.equal(await search.evaluate((field) => field === document.activeElement && field.value), "search");
    await page.keyboard.press("Tab");
    await page.locator("main").focus();
    await page.keyboard.press("?");
    await page.getByRole("dialog").getByText("Keyboard shortcuts").waitFor();
    await stage.axe(page, "keyboard help");
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "hidden" });
    await page.keyboard.press("g");
    await page.keyboard.press("f");
    await page.waitForURL((url) => url.search === "");
  }
}
