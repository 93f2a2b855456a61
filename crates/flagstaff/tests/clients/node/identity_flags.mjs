// An identity's flags: traits sent once count from then on, and null takes one away.

import assert from 'node:assert/strict';
import { remote } from './server.mjs';

const client = remote();

let flags = await client.getIdentityFlags('carol', { beta: true, plan: 'pro', version: '2.1.0' });
assert.equal(flags.isFeatureEnabled('beta-search'), true);
assert.equal(flags.getFeatureValue('seats'), 50);
assert.equal(flags.getFeatureValue('new-client'), 'v2');

flags = await client.getIdentityFlags('carol');
assert.equal(flags.isFeatureEnabled('beta-search'), true);
assert.equal(flags.getFeatureValue('seats'), 50);

flags = await client.getIdentityFlags('carol', { plan: 'enterprise', version: '1.9.9' });
assert.equal(flags.getFeatureValue('seats'), 500);
assert.equal(flags.isFeatureEnabled('new-client'), false);

flags = await client.getIdentityFlags('carol', { plan: null });
assert.equal(flags.getFeatureValue('seats'), 5);
assert.equal(flags.isFeatureEnabled('beta-search'), true);
