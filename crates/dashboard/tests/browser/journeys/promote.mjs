// Journey 8: what was tried in one environment is carried to another, after a look at the difference.

import assert from "node:assert/strict";

export async function run(stage) {
  const project = await stage.project("Promote");
  const [development, production] = project.environments;
  const made = await project.feature({ name: "prices", initial_value: '{"currency": "EUR", "tax": 19}' });
  const segment = await project.segment({
    name: "Testers",
    rules: [{ type: "ALL", rules: [{ type: "ANY", rules: [], conditions: [{ property: "plan", operator: "EQUAL", value: "test" }] }], conditions: [] }],
  });
  const page = await stage.member();
  const path = `/environments/${development.api_key}/features/${made.id}`;

  await page.goto(path);
  await page.getByLabel("On", { exact: true }).check();
  await page.getByLabel("Value", { exact: true }).fill('{"currency": "EUR", "tax": 20}');
  await page.getByRole("button", { name: "Review the change" }).click();
  await page.locator(".difference", { hasText: '"tax": 20' }).waitFor();
  await stage.look(page, "feature-review");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await stage.told(page, "prices was saved in Development.");

  await page.getByRole("link", { name: "Add override" }).click();
  await page.getByLabel("Segment", { exact: true }).waitFor();
  await stage.look(page, "feature-override");
  const form = stage.script ? page.getByRole("dialog") : page.locator("main");
  await form.getByLabel("Segment", { exact: true }).selectOption(String(segment.id));
  await form.getByLabel("Value", { exact: true }).fill('{"currency": "EUR", "tax": 0}');
  await form.getByRole("button", { name: "Save" }).click();
  await stage.told(page, "The override of prices was saved.");
  await page.locator("#overrides").getByText("Testers").waitFor();
  await stage.look(page, "feature-value");

  // A second override, which is moved before the first one, and back and forth by dragging.
  const other = await project.segment({ name: "Staff", rules: segment.rules.map(({ type }) => ({ type, rules: [{ type: "ANY", rules: [], conditions: [{ property: "staff", operator: "EQUAL", value: "true" }] }], conditions: [] })) });
  await page.goto(`${path}/overrides/new`);
  await page.getByLabel("Segment", { exact: true }).selectOption(String(other.id));
  await page.getByRole("button", { name: "Save" }).click();
  await stage.told(page, "The override of prices was saved.");
  const order = async (names) => {
    for (const [position, name] of names.entries()) await page.locator("#overrides li").nth(position).getByText(name).waitFor();
  };
  await order(["Testers", "Staff"]);
  await page.getByRole("button", { name: "Move Staff up" }).click();
  await stage.told(page, "The order was saved");
  await order(["Staff", "Testers"]);
  if (stage.script) {
    const rows = page.locator("#overrides li");
    const { height } = await rows.last().boundingBox();
    const saved = page.waitForResponse((answer) => answer.url().endsWith("/overrides"));
    await rows.first().dragTo(rows.last(), { sourcePosition: { x: 5, y: 5 }, targetPosition: { x: 5, y: height - 5 } });
    await saved;
    await order(["Testers", "Staff"]);
  } else {
    await page.getByRole("button", { name: "Move Testers up" }).click();
    await order(["Testers", "Staff"]);
  }
  await page.reload();
  await order(["Testers", "Staff"]);
  await page.getByRole("link", { name: "Remove the override for Staff" }).click();
  await page.getByRole("heading", { name: "Remove the override for Staff" }).waitFor();
  await stage.look(page, "override-remove");
  await stage.confirm(page, "Staff", "Remove the override");
  await stage.told(page, "The override was taken away");

  await page.getByRole("link", { name: "Compare and promote" }).click();
  await page.getByText("differs").waitFor();
  await stage.look(page, "feature-compare");
  await page.getByRole("link", { name: "Promote to Production" }).click();
  await page.getByRole("heading", { name: "Promote from Development to Production" }).waitFor();
  await stage.look(page, "feature-promote");
  await page.getByRole("button", { name: "Promote to Production" }).click();
  await stage.told(page, "prices is in Production as in Development now.");
  await page.getByText("as here").waitFor();

  const everybody = await stage.identityFlags(production.api_key, "somebody");
  const tester = await stage.identityFlags(production.api_key, "tester", [{ trait_key: "plan", trait_value: "test" }]);
  assert.deepEqual(everybody.prices, { enabled: true, value: '{"currency": "EUR", "tax": 20}' });
  assert.equal(tester.prices.value, '{"currency": "EUR", "tax": 0}');

  await page.getByRole("link", { name: "Code" }).click();
  await stage.look(page, "feature-code");
  assert.match(await page.locator("#curl-code").innerText(), new RegExp(development.api_key));
}
