// 200 identities get the same flags from the server and from the SDK's own engine.

import assert from 'node:assert/strict';
import { SERVER_KEY, local, remote, shown } from './server.mjs';

// No empty text: this SDK's engine takes it for a missing trait.
const plans = ['pro', 'free', 'enterprise', 'basic', 'pro,enterprise', 'Pro'];
const codes = ['7', 7, 'seven', 'x7'];
const versions = ['1.9.9', '2.0.0', '2.0.0-rc.1', '10.0.0+build'];

function traitsOf(number) {
  const traits = {
    age: 15 + (number % 50),
    email: `user-${number}@${number % 3 ? 'example' : 'elsewhere'}.com`,
    plan: plans[number % plans.length],
    code: codes[number % codes.length],
    version: versions[number % versions.length],
    is_staff: number % 2 === 0,
    beta: [true, false][number % 2],
  };
  // Numbers with a fraction: this language cannot tell 2 from 2.0, which other engines compare differently.
  if (number % 4) traits.score = [2.5, 1.75, -0.5, 1000.5, 2.4999][number % 5];
  if (number % 7 === 0) traits.colour = 'blue';
  return traits;
}

const client = remote(SERVER_KEY);
const engine = local();
for (let number = 0; number < 200; number += 1) {
  const identifier = `user-${number}`;
  const traits = traitsOf(number);
  const expected = shown(await engine.getIdentityFlags(identifier, traits));
  assert.equal(Object.keys(expected).length, 29);

  const sent = shown(await client.getIdentityFlags(identifier, traits));
  const stored = shown(await client.getIdentityFlags(identifier));

  for (const name of Object.keys(expected)) {
    assert.deepEqual(sent[name], expected[name], `${identifier} ${name} ${JSON.stringify(traits)}`);
  }
  assert.deepEqual(stored, expected);
}
await engine.close();
