// Variants are about as frequent as their weights and stay with an identity.

import assert from 'node:assert/strict';
import { close, page } from './browser.mjs';

const flagsmith = await page();
const people = Array.from({ length: 200 }, (_, number) => `person-${number}`);

async function colours() {
  const found = [];
  for (const person of people) {
    await flagsmith.identify(person);
    found.push(flagsmith.getValue('colour'));
  }
  return found;
}

const first = await colours();
assert.deepEqual(await colours(), first);
const count = (colour) => first.filter((found) => found === colour).length;
// Three standard deviations around 60 blue, 40 green and 100 red of 200.
assert.ok(count('blue') >= 40 && count('blue') <= 80, `${count('blue')} blue`);
assert.ok(count('green') >= 22 && count('green') <= 58, `${count('green')} green`);
assert.ok(count('red') >= 78 && count('red') <= 122, `${count('red')} red`);

await flagsmith.identify('someone', { colour: 'blue' });
assert.equal(flagsmith.getValue('colour'), 'blue');
close();
