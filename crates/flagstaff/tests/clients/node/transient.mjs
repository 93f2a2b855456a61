// What is transient counts for one call and is not stored.

import assert from 'node:assert/strict';
import { CLIENT_KEY, admin, remote } from './server.mjs';

const client = remote();

let flags = await client.getIdentityFlags('dave', { beta: true }, true);
assert.equal(flags.isFeatureEnabled('beta-search'), true);
flags = await client.getIdentityFlags('dave', {}, true);
assert.equal(flags.isFeatureEnabled('beta-search'), false);
const { results } = await admin('GET', `environments/${CLIENT_KEY}/identities/?q=dave`);
assert.deepEqual(results, []);

flags = await client.getIdentityFlags('erin', { plan: 'pro', beta: { value: true, transient: true } });
assert.equal(flags.isFeatureEnabled('beta-search'), true);
assert.equal(flags.getFeatureValue('seats'), 50);
flags = await client.getIdentityFlags('erin');
assert.equal(flags.isFeatureEnabled('beta-search'), false);
assert.equal(flags.getFeatureValue('seats'), 50);
