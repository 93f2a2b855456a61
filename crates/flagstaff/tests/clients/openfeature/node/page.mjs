// OpenFeature's SDK for browsers, which has one context at a time and every flag for it.

import { Events, quiet, require } from './common.mjs';

// Node.js has none, and a provider looks for it when it is told the address of a stream.
globalThis.EventSource = require('eventsource').EventSource;

export const { OpenFeature, ProviderEvents } = require('@openfeature/web-sdk');
export const { FlagdWebProvider } = require('@openfeature/flagd-web-provider');
export const { OFREPWebProvider } = require('@openfeature/ofrep-web-provider');

OpenFeature.setLogger(quiet);

// A client with a provider, and the events since it was asked for.
export async function openPage(name, provider) {
  const client = OpenFeature.getClient(name);
  const events = new Events(client, ProviderEvents);
  const failed = await OpenFeature.setProviderAndWait(name, provider).then(
    () => undefined,
    (error) => error,
  );
  const evaluate = async (method, flag, fallback, context) => {
    await OpenFeature.setContext(context);
    return client[method](flag, fallback);
  };
  return { client, evaluate, events, failed };
}

export async function close() {
  await OpenFeature.close();
  process.exit(0);
}
