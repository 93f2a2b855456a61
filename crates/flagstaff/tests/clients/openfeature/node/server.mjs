// OpenFeature's SDK for servers, which takes a context with each evaluation.

import { Events, quiet, require } from './common.mjs';

export const { ErrorCode, OpenFeature, ServerProviderEvents } = require('@openfeature/server-sdk');
export const { FlagdProvider } = require('@openfeature/flagd-provider');
export const { OFREPProvider } = require('@openfeature/ofrep-provider');

OpenFeature.setLogger(quiet);

// A client with a provider, and the events since it was asked for.
export async function openClient(name, provider) {
  const client = OpenFeature.getClient(name);
  const events = new Events(client, ServerProviderEvents);
  const failed = await OpenFeature.setProviderAndWait(name, provider).then(
    () => undefined,
    (error) => error,
  );
  const evaluate = (method, flag, fallback, context) => client[method](flag, fallback, context);
  return { client, evaluate, events, failed };
}

// Ends the script: streams that try to connect would keep it alive.
export async function close() {
  await OpenFeature.close();
  process.exit(0);
}
