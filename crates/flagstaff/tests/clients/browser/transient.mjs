// What is transient counts for one call and is not stored.

import assert from 'node:assert/strict';
import { CLIENT_KEY, admin, close, page } from './browser.mjs';

const flagsmith = await page();
await flagsmith.identify('dave', { beta: true }, true);
assert.equal(flagsmith.hasFeature('beta-search'), true);
await flagsmith.logout();
await flagsmith.identify('dave', undefined, true);
assert.equal(flagsmith.hasFeature('beta-search'), false);
const { results } = await admin('GET', `environments/${CLIENT_KEY}/identities/?q=dave`);
assert.deepEqual(results, []);

await flagsmith.identify('erin', { plan: 'pro', beta: { value: true, transient: true } });
assert.equal(flagsmith.hasFeature('beta-search'), true);
assert.equal(flagsmith.getValue('seats'), 50);
const again = await page({ identity: 'erin' });
assert.equal(again.hasFeature('beta-search'), false);
assert.equal(again.getValue('seats'), 50);

// Without a name somebody is known by their traits for as long as they last.
await flagsmith.setContext({ identity: { traits: { plan: { value: 'enterprise' } } } });
assert.equal(flagsmith.getValue('seats'), 500);
assert.match(flagsmith.identity, /^[0-9a-f]{64}$/);
close();
