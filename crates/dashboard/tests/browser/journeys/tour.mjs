// The pages that the guide shows pictures of, with what a small shop would have on them.
//
// With TOUR_DATABASE, the path of the server's SQLite file, the last month has usage too: it cannot be made by asking.

import { execFileSync } from "node:child_process";

export const scripts = [true];

const FEATURES = [
  ["new_checkout", "The checkout in one step.", true, { initial_value: "classic" }, ["release"]],
  ["banner", "What is written above every page.", true, { initial_value: "Free shipping this week" }, ["marketing"]],
  ["button_colour", "Which colour sells more?", true, {
    initial_value: "grey",
    multivariate_options: [
      { type: "unicode", string_value: "#2a7", key: "green", default_percentage_allocation: 30 },
      { type: "unicode", string_value: "#c42", key: "red", default_percentage_allocation: 30 },
    ],
  }, ["experiment"]],
  ["express_delivery", "Delivery within two hours, in cities.", false, {}, ["release"]],
  ["recommendations", "How many other goods are shown beside one.", true, { initial_value: 6 }, []],
  ["stock_service", "Ask the new service what is in stock.", true, {}, ["operations", "permanent"]],
  ["search_limits", "Results on a page, and how long is searched.", true, { initial_value: '{"results": 24, "milliseconds": 300}' }, ["operations"]],
  ["dark_mode", "", false, {}, []],
];
const COLOURS = { release: "#3b82f6", marketing: "#d97706", experiment: "#9333ea", operations: "#0f766e", permanent: "#6b7280" };

export async function run(stage) {
  const shop = await stage.project("Shop");
  await stage.api("PATCH", `projects/${shop.id}/`, { name: "Shop" });
  const tags = {};
  for (const [label, color] of Object.entries(COLOURS)) {
    tags[label] = (await stage.api("POST", `projects/${shop.id}/tags/`, { label, color, is_permanent: label === "permanent", project: shop.id })).id;
  }
  const features = {};
  for (const [name, description, default_enabled, more, labels] of FEATURES) {
    features[name] = await shop.feature({ name, description, default_enabled, tags: labels.map((label) => tags[label]), ...more });
  }
  const segment = await shop.segment({
    name: "Paying Europeans",
    description: "Who gets what is new first.",
    rules: [{
      type: "ALL",
      conditions: [{ property: "country", operator: "IN", value: "AT,DE,FR" }],
      rules: [{
        type: "ANY",
        conditions: [{ property: "plan", operator: "EQUAL", value: "pro" }, { property: "seats", operator: "GREATER_THAN_INCLUSIVE", value: "10" }],
        rules: [],
      }],
    }],
  });
  await stage.api("POST", `environments/${shop.key}/features/${features.new_checkout.id}/create-segment-override/`, {
    feature_segment: { segment: segment.id },
    enabled: true,
    feature_state_value: { type: "unicode", string_value: "one-step" },
  });
  const person = (identifier, traits) => {
    const list = Object.entries(traits).map(([trait_key, trait_value]) => ({ trait_key, trait_value }));
    return stage.identityFlags(shop.key, identifier, list);
  };
  await person("grace@example.com", { country: "DE", plan: "free", seats: 12 });
  await person("alan@example.com", { country: "GB", plan: "pro", seats: 3 });
  if (process.env.TOUR_DATABASE) remember(shop.environments[0].id, Object.values(features).map((each) => each.id));
  const page = await stage.member();

  await page.goto(`/environments/${shop.key}/features`);
  await page.getByRole("switch", { name: "new_checkout" }).waitFor();
  await stage.look(page, "tour-features");

  await page.goto(`/environments/${shop.key}/segments/${segment.id}`);
  await page.getByRole("heading", { name: "Paying Europeans" }).waitFor();
  // What sticks to the end of the window would hide what is below it.
  await page.setViewportSize({ width: 1280, height: 1400 });
  await stage.look(page, "tour-segment");

  await page.goto(`/environments/${shop.key}/identities`);
  await page.getByRole("link", { name: "grace@example.com" }).click();
  await page.getByRole("link", { name: "Why? new_checkout" }).click();
  await page.getByRole("heading", { name: "Why new_checkout?" }).waitFor();
  await stage.look(page, "tour-why");

  await page.goto(`/environments/${shop.key}/usage`);
  await page.getByRole("heading", { name: "Usage" }).first().waitFor();
  await stage.look(page, "tour-usage");
}

/** A month of usage, more on working days. */
function remember(environment, features) {
  const statements = `
    CREATE TEMP TABLE days AS WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 30)
      SELECT CAST(strftime('%s', 'now') AS INTEGER) / 86400 * 86400000000 - i * 86400000000 AS day,
        CASE WHEN CAST(strftime('%w', 'now', '-' || i || ' days') AS INTEGER) IN (0, 6) THEN 3 ELSE 7 END * (60 - i) AS busy FROM n;
    CREATE TEMP TABLE agents AS SELECT 'flagsmith-python-sdk/6.3.0' AS agent, 9 AS share
      UNION ALL SELECT 'flagsmith-js-sdk/10.0.0', 16 UNION ALL SELECT 'flagsmith-go-sdk/5.0.0', 4;
    CREATE TEMP TABLE asked AS SELECT f.value AS feature, 3 + f.key * 7 % 5 AS share FROM json_each('${JSON.stringify(features)}') f;
    INSERT OR IGNORE INTO evaluation_counts (environment_id, feature_id, bucket_start, state, sdk_user_agent, application_name, application_version, count)
      SELECT ${environment}, feature, day, 'enabled', agent, 'shop', '2.1', busy * asked.share * agents.share / 9 FROM days, agents, asked;
    INSERT OR IGNORE INTO evaluation_days (environment_id, day, feature_id, count)
      SELECT environment_id, bucket_start, feature_id, SUM(count) FROM evaluation_counts WHERE environment_id = ${environment} GROUP BY 1, 2, 3;
    INSERT OR IGNORE INTO request_counts (environment_id, kind, bucket_start, sdk_user_agent, application_name, application_version, count)
      SELECT ${environment}, k.value, day, agent, 'shop', '2.1', busy * agents.share / (3 + k.key) FROM days, agents, json_each('["flags", "identities"]') k;
    INSERT OR IGNORE INTO request_days (environment_id, day, kind, sdk_user_agent, application_name, application_version, count)
      SELECT environment_id, bucket_start, kind, sdk_user_agent, application_name, application_version, SUM(count)
      FROM request_counts WHERE environment_id = ${environment} GROUP BY 1, 2, 3, 4, 5, 6;`;
  execFileSync("sqlite3", ["-cmd", ".timeout 5000", process.env.TOUR_DATABASE, statements]);
}
