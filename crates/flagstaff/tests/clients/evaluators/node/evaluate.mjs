// flagd's JavaScript evaluator behind JSON lines: see ../README.md.

import { createRequire } from 'node:module';
import path from 'node:path';
import readline from 'node:readline';

// The packages lie elsewhere than this script.
const require = createRequire(path.join(process.env.NODE_FOLDER, 'index.js'));
const { FlagdCore } = require('@openfeature/flagd-core');

const silent = { info() {}, debug() {}, warn() {}, error() {} };
const callersDefault = { boolean: false, string: '', number: 0, object: {} };

function answer(core, name, flag, context) {
  const type = typeof Object.values(flag.variants)[0];
  const details = core.resolve(type, name, callersDefault[type], context, silent);
  const isOwn = details.variant !== undefined;
  return {
    value: isOwn ? details.value : null,
    variant: details.variant ?? null,
    reason: details.reason,
    ...(details.errorCode && { error: details.errorCode }),
  };
}

function answers({ document, contexts }) {
  const core = new FlagdCore(undefined, silent);
  try {
    core.setConfigurations(document);
  } catch (error) {
    return { refused: String(error) };
  }
  const flags = Object.entries(JSON.parse(document).flags);
  return {
    answers: contexts.map((context) =>
      Object.fromEntries(flags.map(([name, flag]) => [name, answer(core, name, flag, context)])),
    ),
  };
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(answers(JSON.parse(line)))}\n`);
}
