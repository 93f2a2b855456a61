// Journey 3: a feature with variants, whose weights must add up; identities get the variants they are given.

import assert from "node:assert/strict";

export async function run(stage) {
  const project = await stage.project("Variants");
  const page = await stage.member();

  await page.goto(`/environments/${project.key}/features/new`);
  await page.getByLabel("Name", { exact: true }).fill("button_colour");
  await page.getByLabel("On from the start").check();
  await page.getByLabel("Value", { exact: true }).fill("grey");
  for (const [number, [name, value, weight]] of [["warm", "red", "60"], ["cold", "blue", "70"]].entries()) {
    await page.getByRole("button", { name: "Add a variant" }).click();
    await page.locator(`[name="variants.${number}.key"]`).fill(name);
    await page.locator(`[name="variants.${number}.value"]`).fill(value);
    await page.locator(`[name="variants.${number}.weight"]`).fill(weight);
  }
  if (stage.script) await page.getByText("130 % is 30 % too much").waitFor();
  await page.getByRole("button", { name: "Create feature" }).last().click();
  await page.getByText(/add up to more than 100/).waitFor();
  assert.equal(await page.locator('[name="variants.1.value"]').inputValue(), "blue");
  await stage.look(page, "feature-create-variants");
  await page.locator('[name="variants.1.weight"]').fill("40");
  await page.getByRole("button", { name: "Create feature" }).last().click();
  await stage.told(page, "button_colour was made.");

  await page.getByLabel("Weight of warm in %").fill("100");
  await page.getByLabel("Weight of cold in %").fill("1");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText(/add up to more than 100/).waitFor();
  await page.getByLabel("Weight of cold in %").fill("0");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await stage.told(page, "button_colour was saved in Development.");
  const flags = await stage.identityFlags(project.key, "somebody");
  assert.equal(flags.button_colour.value, "red");
  await stage.look(page, "feature-variants");

  await page.getByRole("link", { name: "Settings" }).last().click();
  await page.getByLabel("New name").fill("third");
  await page.getByLabel("New value").fill("green");
  await page.getByLabel("New %").fill("0");
  await page.getByRole("button", { name: "Add variant" }).click();
  await stage.told(page, "The variant was added.");
  await stage.look(page, "feature-settings");
  await page.getByRole("link", { name: "Remove third" }).click();
  await stage.confirm(page, "third", "Remove the variant");
  await stage.told(page, "The variant was taken away.");
  await page.getByRole("link", { name: "Remove warm" }).waitFor();
  assert.equal(await page.getByRole("link", { name: "Remove third" }).count(), 0);
}
