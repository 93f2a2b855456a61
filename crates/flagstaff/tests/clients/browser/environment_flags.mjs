// Everybody's flags, with the types their values have; those for servers stay away from a page.

import assert from 'node:assert/strict';
import { close, page } from './browser.mjs';

const flagsmith = await page();
assert.equal(flagsmith.hasFeature('dark-mode'), true);
assert.equal(flagsmith.getValue('dark-mode'), null);
assert.equal(flagsmith.getValue('banner'), 'Welcome');
assert.equal(flagsmith.getValue('page-size'), 25);
assert.equal(flagsmith.hasFeature('beta-search'), false);
assert.equal(flagsmith.getValue('colour'), 'red');
assert.ok(!('internal-limit' in flagsmith.getAllFlags()));
assert.equal(flagsmith.getValue('internal-limit', { fallback: 7 }), 7);
assert.equal(flagsmith.hasFeature('internal-limit', { fallback: true }), true);
close();
