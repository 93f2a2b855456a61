// A wrong key is refused in a way the SDK understands.

import assert from 'node:assert/strict';
import { CLIENT_KEY, remote, sdk, sdkModule } from './server.mjs';

const { DefaultFlag, FlagsmithAPIError } = sdkModule;
const options = { retries: 0 };
const refused = ({ cause }) => cause instanceof FlagsmithAPIError && /403/.test(cause.message);
await assert.rejects(remote('wrong', options).getEnvironmentFlags(), refused);
await assert.rejects(remote('wrong', options).getIdentityFlags('alice', { plan: 'pro' }), refused);

const handler = { ...options, defaultFlagHandler: () => new DefaultFlag('default', false) };
const flags = await remote('wrong', handler).getEnvironmentFlags();
assert.equal(flags.getFeatureValue('banner'), 'default');

assert.deepEqual(await sdk('GET', 'flags/', undefined, 'wrong'), {
  status: 403,
  body: { detail: 'Invalid or missing Environment Key' },
});
assert.deepEqual(await sdk('GET', 'environment-document/', undefined, CLIENT_KEY), {
  status: 403,
  body: { detail: 'Invalid or missing Environment key' },
});
