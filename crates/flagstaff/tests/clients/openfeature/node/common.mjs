// What every script needs: the server, the answers that are expected, and somebody who changes flags meanwhile.
//
// The test that started the script carries out what is written to standard output, a line each, and says when it is
// done: `change <feature> <value in JSON>`, `stop` and `start` of the server.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import readline from 'node:readline';
import { isDeepStrictEqual } from 'node:util';

// The scripts lie elsewhere than the packages they are run with.
export const require = createRequire(path.join(process.env.NODE_FOLDER, 'index.js'));

export const URL_OF_SERVER = process.env.SERVER_URL;
export const { hostname: HOST, port: PORT } = new URL(URL_OF_SERVER);
export const CLIENT_KEY = process.env.CLIENT_KEY;
export const SERVER_KEY = process.env.SERVER_KEY;
export const PEOPLE = Array.from({ length: 200 }, (_, number) => `person-${number}`);
export const quiet = { debug() {}, info() {}, warn() {}, error() {} };

const answers = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();

// Has something done by the test that runs this script.
export async function ask(command) {
  process.stdout.write(`${command}\n`);
  const { value } = await answers.next();
  assert.equal(value, 'done', command);
}

export function change(feature, value) {
  return ask(`change ${feature} ${JSON.stringify(value)}`);
}

// The events of one client, as they come.
export class Events {
  seen = [];

  constructor(client, names) {
    for (const name of Object.values(names)) {
      client.addHandler(name, (details) => this.seen.push({ name, details }));
    }
  }

  forget() {
    this.seen = [];
  }

  // Waits until such an event has come since the last `forget`.
  wait(name, holds = () => true) {
    const found = () => this.seen.some((event) => event.name === name && holds(event.details));
    return waitUntil(found, () => `${name}: ${JSON.stringify(this.seen)}`);
  }
}

export async function waitUntil(condition, what) {
  const end = Date.now() + 30_000;
  while (!(await condition())) {
    assert.ok(Date.now() < end, `not within 30 s: ${typeof what === 'function' ? what() : what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

// What a client says, in the words of `cases.json`.
export function shown({ value, variant, reason, errorCode }) {
  return { value, variant: variant || null, reason, ...(errorCode === undefined ? {} : { error: errorCode }) };
}

// Numbers of all kinds are one type here.
const METHODS = {
  boolean: 'getBooleanDetails',
  string: 'getStringDetails',
  integer: 'getNumberDetails',
  float: 'getNumberDetails',
  object: 'getObjectDetails',
};

export function context({ key, attributes = {} }) {
  return key === undefined ? attributes : { targetingKey: key, ...attributes };
}

// `evaluate` asks one client: a method's name, a flag, a default and a context.
export async function checkCases(name, evaluate) {
  const wrong = [];
  for (const each of JSON.parse(await readFile(process.env.CASES, 'utf8'))) {
    const answer = shown(await evaluate(METHODS[each.type], each.flag, each.default, context(each)));
    const wanted = expected(each, name);
    if (!isDeepStrictEqual(answer, wanted)) {
      wrong.push(`${each.name}:\n  actual:   ${JSON.stringify(answer)}\n  expected: ${JSON.stringify(wanted)}`);
    }
  }
  assert.equal(wrong.length, 0, wrong.join('\n'));
}

// What this client is expected to say: the common answer, or its own where that is known and has a reason.
function expected({ differs = {}, value, variant, reason, error }, name) {
  let answer = { value, variant, reason, ...(error === undefined ? {} : { error }) };
  for (const [whose, { because, ...other }] of Object.entries(differs)) {
    if (name === whose || name.endsWith(`-${whose}`)) answer = other;
  }
  // A key for clients is not told who else there is: every override has one name.
  if (name === 'node-ofrep-web' && answer.variant?.startsWith('override_')) answer.variant = 'override';
  return answer;
}

// Who gets what.
export async function placed(evaluate, flag, people = PEOPLE) {
  const found = {};
  for (const person of people) {
    found[person] = (await evaluate('getStringDetails', flag, 'none', { targetingKey: person })).value;
  }
  return found;
}

// Three standard deviations around 60 blue, 40 green and 100 red of 200.
export function checkShares(found) {
  const count = (colour) => Object.values(found).filter((each) => each === colour).length;
  assert.ok(count('blue') >= 40 && count('blue') <= 80, `${count('blue')} blue`);
  assert.ok(count('green') >= 22 && count('green') <= 58, `${count('green')} green`);
  assert.ok(count('red') >= 78 && count('red') <= 122, `${count('red')} red`);
}
