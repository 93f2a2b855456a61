// An identity's flags: traits of every type are stored, count from then on, and null takes one away.

import assert from 'node:assert/strict';
import { close, page } from './browser.mjs';

const flagsmith = await page();
assert.equal(flagsmith.getValue('seats'), 5);
await flagsmith.identify('carol', { beta: true, plan: 'pro', version: '2.1.0' });
assert.equal(flagsmith.hasFeature('beta-search'), true);
assert.equal(flagsmith.getValue('seats'), 50);
assert.equal(flagsmith.getValue('new-client'), 'v2');

await flagsmith.setTraits({ age: 40, score: 2.5, empty: '', staff: false });
const all = { beta: true, plan: 'pro', version: '2.1.0', age: 40, score: 2.5, empty: '', staff: false };
assert.deepEqual(flagsmith.getAllTraits(), all);
const again = await page({ identity: 'carol' });
assert.deepEqual(again.getAllTraits(), all);
assert.equal(again.getValue('seats'), 50);
assert.equal(again.hasFeature('beta-search'), true);

await flagsmith.setTrait('plan', 'enterprise');
assert.equal(flagsmith.getValue('seats'), 500);
await flagsmith.setTraits({ version: '1.9.9', plan: null });
assert.equal(flagsmith.hasFeature('new-client'), false);
assert.equal(flagsmith.getValue('seats'), 5);
assert.equal(flagsmith.getTrait('plan') ?? null, null);
assert.equal(flagsmith.hasFeature('beta-search'), true);

await flagsmith.logout();
assert.equal(flagsmith.hasFeature('beta-search'), false);
close();
