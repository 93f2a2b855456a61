// Everybody's flags, with the types their values have.

import assert from 'node:assert/strict';
import { SERVER_KEY, remote } from './server.mjs';

let flags = await remote().getEnvironmentFlags();
assert.equal(flags.isFeatureEnabled('dark-mode'), true);
assert.equal(flags.getFeatureValue('dark-mode') ?? null, null);
assert.equal(flags.getFeatureValue('banner'), 'Welcome');
assert.equal(flags.getFeatureValue('page-size'), 25);
assert.equal(flags.isFeatureEnabled('beta-search'), false);
assert.equal(flags.getFeatureValue('colour'), 'red');
assert.ok(!flags.allFlags().some((flag) => flag.featureName === 'internal-limit'));

flags = await remote(SERVER_KEY).getEnvironmentFlags();
assert.equal(flags.getFeatureValue('internal-limit'), 9000);
