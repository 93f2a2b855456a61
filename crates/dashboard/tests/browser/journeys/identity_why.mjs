// Journey 5: support finds an identity, reads why it gets a flag, changes a trait, and gives it an override.

import assert from "node:assert/strict";

const HOSTILE = `"><img src=x onerror="document.title='taken'">`;

export async function run(stage) {
  const project = await stage.project("Identities");
  const feature = await project.feature({ name: "checkout", initial_value: "old", default_enabled: true });
  const colour = await project.feature({
    name: "colour",
    initial_value: "grey",
    default_enabled: true,
    multivariate_options: [{ type: "unicode", string_value: "red", key: "red", default_percentage_allocation: 100 }],
  });
  const plan = { property: "plan", operator: "EQUAL", value: "pro" };
  const segment = await project.segment({
    name: "Professionals",
    rules: [{ type: "ALL", conditions: [{ property: "country", operator: "IN", value: "DE,AT" }], rules: [{ type: "ANY", conditions: [plan], rules: [] }] }],
  });
  await stage.api("POST", `environments/${project.key}/features/${feature.id}/create-segment-override/`, {
    feature_segment: { segment: segment.id },
    enabled: true,
    feature_state_value: { type: "unicode", string_value: "new" },
  });
  const traits = [{ trait_key: "country", trait_value: "DE" }, { trait_key: "plan", trait_value: "free" }, { trait_key: HOSTILE, trait_value: `<script>document.title='taken'</script>` }];
  await stage.identityFlags(project.key, "ada@example.com", traits);
  await stage.identityFlags(project.key, "bob@example.com", []);
  const page = await stage.member();

  await page.goto(`/environments/${project.key}/identities`);
  await stage.look(page, "identities");
  const search = page.getByRole("searchbox", { name: "Find an identity by its identifier" });
  if (stage.script) {
    await page.locator("body").press("/");
    await page.keyboard.type("ada");
  } else {
    await search.fill("ada");
    await page.getByRole("button", { name: "Search" }).click();
  }
  await page.getByRole("link", { name: "bob@example.com" }).waitFor({ state: "detached" });
  await page.getByRole("link", { name: "ada@example.com" }).click();
  await page.getByRole("heading", { name: "ada@example.com" }).waitFor();
  await page.getByRole("term").filter({ hasText: HOSTILE }).waitFor();
  const row = (name) => page.getByRole("row").filter({ has: page.getByRole("link", { name, exact: true }) });
  await row("checkout").getByText("the environment's default").waitFor();
  await stage.look(page, "identity");

  await page.getByRole("link", { name: "Why? checkout" }).click();
  await page.getByRole("heading", { name: "Why checkout?" }).waitFor();
  const step = page.getByRole("listitem").filter({ has: page.getByRole("heading", { name: "Segment Professionals" }) });
  await step.getByText("✗ is not in it").waitFor();
  await step.getByText("Rule 1.1 needs this:").waitFor();
  await step.getByText("it is free").first().waitFor();
  await stage.look(page, "why");
  assert.doesNotMatch(await page.title(), /taken/);

  // What if the plan were another one? Nothing is stored by asking.
  await page.getByLabel("Attributes as JSON, laid over the traits").fill('{"plan": "pro"}');
  await page.getByRole("button", { name: "Ask again" }).click();
  await step.getByText("★ holds").waitFor();
  assert.equal((await stage.identityFlags(project.key, "ada@example.com")).checkout.value, "old");

  // The trait is changed, and the segment holds.
  await page.getByRole("link", { name: "ada@example.com" }).first().click();
  await page.getByRole("link", { name: "Edit plan" }).click();
  await page.getByLabel("Value").fill("pro");
  await page.getByRole("button", { name: "Save", exact: true }).last().click();
  await stage.told(page, "Trait plan is saved.");
  await row("checkout").getByText("segment Professionals").waitFor();
  await page.getByRole("region", { name: "Segments it is in" }).getByRole("link", { name: "Professionals" }).waitFor();
  assert.equal((await stage.identityFlags(project.key, "ada@example.com")).checkout.value, "new");

  // A trait of a type; one that is none is said beside the field.
  await page.getByRole("link", { name: "Add a trait" }).click();
  await page.getByLabel("Name", { exact: true }).fill("seats");
  await page.getByLabel("Type").selectOption("integer");
  await page.getByLabel("Value").fill("many");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByText("Give a whole number").waitFor();
  await stage.axe(page, "trait");
  await page.getByLabel("Value").fill("12");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await stage.told(page, "Trait seats is added.");

  // An override wins over the segment, and goes again.
  await page.getByRole("link", { name: "Override checkout" }).click();
  await page.getByLabel("Value", { exact: true }).fill("special");
  await stage.axe(page, "override");
  await page.getByRole("button", { name: "Override", exact: true }).click();
  await stage.told(page, "checkout is overridden for this identity.");
  await row("checkout").getByText("an override for this identity").waitFor();
  assert.equal((await stage.identityFlags(project.key, "ada@example.com")).checkout.value, "special");
  await page.getByRole("link", { name: "Why? checkout" }).click();
  await step.getByText("a stronger one holds").waitFor();
  await page.goBack();
  await page.getByRole("link", { name: "Change checkout" }).click();
  await page.getByRole("link", { name: "Take the override away" }).click();
  await stage.confirm(page, "checkout", "Take the override away");
  await stage.told(page, "checkout is again what it is for others.");
  assert.equal((await stage.identityFlags(project.key, "ada@example.com")).checkout.value, "new");

  // A split says the number and the place.
  await page.getByRole("link", { name: "Why? colour" }).click();
  await page.getByRole("heading", { name: "Placed among the variants" }).waitFor();
  const told = await stage.api("GET", `explain/flags/colour/?environment=${project.key}&targetingKey=ada@example.com`);
  const bucket = Number(told.flags.colour.split.bucket.toFixed(4));
  await page.getByText(String(bucket), { exact: true }).first().waitFor();
  assert.equal(told.flags.colour.variant, "red");
  await stage.look(page, "why-split");
  assert.ok(colour.id);
}
