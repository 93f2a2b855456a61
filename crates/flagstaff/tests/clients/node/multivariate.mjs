// Variants are about as frequent as their weights, stay with an identity, and are the same locally.

import assert from 'node:assert/strict';
import { local, remote } from './server.mjs';

const client = remote();
const engine = local();
const people = Array.from({ length: 200 }, (_, number) => `person-${number}`);

async function colours(source) {
  const found = {};
  for (const person of people) {
    found[person] = (await source.getIdentityFlags(person)).getFeatureValue('colour');
  }
  return found;
}

const first = await colours(client);
assert.deepEqual(await colours(client), first);
assert.deepEqual(await colours(engine), first);
const count = (colour) => Object.values(first).filter((found) => found === colour).length;
// Three standard deviations around 60 blue, 40 green and 100 red of 200.
assert.ok(count('blue') >= 40 && count('blue') <= 80, `${count('blue')} blue`);
assert.ok(count('green') >= 22 && count('green') <= 58, `${count('green')} green`);
assert.ok(count('red') >= 78 && count('red') <= 122, `${count('red')} red`);

const flags = await client.getIdentityFlags('someone', { colour: 'blue' });
assert.equal(flags.getFeatureValue('colour'), 'blue');
await engine.close();
