// Journey 7: what a colleague does is seen without asking, and nothing of theirs is overwritten in silence.

import assert from "node:assert/strict";

export async function run(stage) {
  const project = await stage.project("Together");
  const made = await project.feature({ name: "banner", initial_value: "hello", default_enabled: true });
  await project.feature({ name: "footer", default_enabled: true });
  const page = await stage.member();
  const states = await stage.api("GET", `environments/${project.key}/featurestates/`);
  const state = states.results.find((each) => each.feature === made.id);
  const change = (body) => stage.api("PATCH", `environments/${project.key}/featurestates/${state.id}/`, body);

  if (stage.script) {
    await page.goto(`/environments/${project.key}/features`);
    await page.getByRole("switch", { name: "banner", checked: true }).waitFor();
    await change({ enabled: false });
    await page.getByRole("switch", { name: "banner", checked: false }).waitFor();
    await page.getByRole("switch", { name: "footer", checked: true }).waitFor();
  }

  const path = `/environments/${project.key}/features/${made.id}`;
  await page.goto(path);
  await page.getByLabel("Value", { exact: true }).fill("mine");
  await change({ feature_state_value: "theirs" });
  if (stage.script) {
    await page.getByText("Somebody else changed this environment meanwhile. What you typed is kept.").waitFor();
    assert.equal(await page.getByLabel("Value", { exact: true }).inputValue(), "mine");
  }
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("Somebody else changed this feature meanwhile.").waitFor();
  assert.equal((await stage.flags(project.key)).banner.value, "theirs");
  assert.match(await page.locator(".difference").innerText(), /− theirs[^]*\+ mine/);
  await stage.look(page, "feature-conflict");
  await page.getByRole("button", { name: "Save mine anyway" }).click();
  await stage.told(page, "banner was saved in Development.");
  assert.equal((await stage.flags(project.key)).banner.value, "mine");

  // The same for an override of a segment.
  const segment = await project.segment({
    name: "Testers",
    rules: [{ type: "ALL", rules: [{ type: "ANY", rules: [], conditions: [{ property: "plan", operator: "EQUAL", value: "test" }] }], conditions: [] }],
  });
  const override = await stage.api("POST", `environments/${project.key}/features/${made.id}/create-segment-override/`, {
    feature_segment: { segment: segment.id },
    enabled: true,
    feature_state_value: { type: "unicode", string_value: "old" },
  });
  await page.goto(`${path}/overrides/${segment.id}`);
  await page.getByLabel("Value", { exact: true }).fill("mine");
  await stage.api("PATCH", `environments/${project.key}/featurestates/${override.id}/`, { feature_state_value: "theirs" });
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("Somebody else changed this feature meanwhile.").waitFor();
  assert.match(await page.locator(".difference").innerText(), /− theirs[^]*\+ mine/);
  await stage.look(page, "override-conflict");
  await page.getByRole("button", { name: "Save mine anyway" }).click();
  await stage.told(page, "The override of banner was saved.");
  const tester = await stage.identityFlags(project.key, "tester", [{ trait_key: "plan", trait_value: "test" }]);
  assert.equal(tester.banner.value, "mine");

  if (stage.script) {
    await page.goto(path);
    await page.getByLabel("Value", { exact: true }).waitFor();
    await change({ feature_state_value: "live" });
    await page.waitForFunction(() => document.querySelector("#value").value === "live");
  }
}
