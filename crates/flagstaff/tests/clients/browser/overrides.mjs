// Segments override everybody's state, an identity's own override wins over both.

import assert from 'node:assert/strict';
import { close, page } from './browser.mjs';

const flagsmith = await page();
await flagsmith.identify('alice', { plan: 'pro', age: 40 });
assert.equal(flagsmith.hasFeature('dark-mode'), false);
assert.equal(flagsmith.getValue('banner'), 'Hello Alice');
assert.equal(flagsmith.getValue('seats'), 50);

await flagsmith.identify('frank', { plan: 'pro', age: 40 });
assert.equal(flagsmith.hasFeature('dark-mode'), true);
assert.equal(flagsmith.getValue('banner'), 'Nested');
assert.equal(flagsmith.getValue('seats'), 50);

await flagsmith.identify('grace', { plan: 'enterprise', age: 40 });
assert.equal(flagsmith.getValue('seats'), 500);

await flagsmith.identify('bob');
assert.equal(flagsmith.getValue('page-size'), 100);
assert.equal(flagsmith.getValue('colour'), 'green');
close();
