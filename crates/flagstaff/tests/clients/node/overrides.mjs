// Segments override everybody's state, an identity's own override wins over both, remotely and locally.

import assert from 'node:assert/strict';
import { local, remote } from './server.mjs';

for (const client of [remote(), local()]) {
  let flags = await client.getIdentityFlags('alice', { plan: 'pro', age: 40 });
  assert.equal(flags.isFeatureEnabled('dark-mode'), false);
  assert.equal(flags.getFeatureValue('banner'), 'Hello Alice');
  assert.equal(flags.getFeatureValue('seats'), 50);

  flags = await client.getIdentityFlags('frank', { plan: 'pro', age: 40 });
  assert.equal(flags.isFeatureEnabled('dark-mode'), true);
  assert.equal(flags.getFeatureValue('banner'), 'Nested');
  assert.equal(flags.getFeatureValue('seats'), 50);

  flags = await client.getIdentityFlags('grace', { plan: 'enterprise', age: 40 });
  assert.equal(flags.getFeatureValue('seats'), 500);

  flags = await client.getIdentityFlags('bob');
  assert.equal(flags.getFeatureValue('page-size'), 100);
  assert.equal(flags.getFeatureValue('colour'), 'green');
  await client.close();
}
