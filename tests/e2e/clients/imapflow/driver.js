'use strict';

// Does with imapflow what it is told: a line of JSON for each call, a line of JSON for each result and each event.
//
//   {"id": 1, "client": "a", "call": "new", "arguments": [{...}]}       makes a client
//   {"id": 2, "client": "a", "call": "mailboxOpen", "arguments": [...]}  calls its method
//   {"id": 3, "client": "a", "call": "get", "arguments": ["mailbox.exists"]}  reads a property
//
// are answered {"id": N, "result": ...} or {"id": N, "error": {...}}; events are {"client": "a", "event": "exists", "value": ...},
// and the lines of the dialogue {"client": "a", "event": "line", "value": "S: * OK ..."}.

// Node 18, which Debian 12 has, keeps it in a module.
globalThis.crypto ??= require('node:crypto').webcrypto;
const readline = require('node:readline');
const { ImapFlow } = require('imapflow');

const EVENTS = ['exists', 'expunge', 'flags', 'mailboxOpen', 'mailboxClose', 'close', 'alert', 'error'];
const clients = new Map();

// What JSON has no form for: large integers as numbers, maps as objects, sets as arrays, octets in base64.
function plain(value) {
    if (typeof value === 'bigint') return Number(value);
    if (value === undefined || value === null || typeof value !== 'object') return value ?? null;
    if (value instanceof Date) return value.toISOString();
    if (value instanceof Uint8Array) return { base64: Buffer.from(value).toString('base64') };
    if (value instanceof Set) return [...value].map(plain);
    if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]));
    if (value instanceof Error) {
        return { message: value.message, code: value.code, status: value.responseStatus, serverCode: value.serverResponseCode };
    }
    if (Array.isArray(value)) return value.map(plain);
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

const say = line => process.stdout.write(JSON.stringify(line) + '\n');

function make(name, options) {
    const client = new ImapFlow({ ...options, logger: false, emitLogs: true });
    for (const event of EVENTS) client.on(event, value => say({ client: name, event, value: plain(value) }));
    client.on('log', entry => {
        if (['s', 'c'].includes(entry.src)) say({ client: name, event: 'line', value: `${entry.src.toUpperCase()}: ${entry.msg}` });
        else if (['warn', 'error'].includes(entry.level)) say({ client: name, event: entry.level, value: plain(entry) });
    });
    clients.set(name, client);
}

// What it has deflated is known only after the zlib stream had its turn.
async function octetsOf(client) {
    await client.noop();
    return { read: client._inflate ? client._inflate.bytesWritten : null, compressed: !!(client._inflate && client._deflate) };
}

async function perform({ client: name, call, arguments: given = [] }) {
    if (call === 'new') return make(name, ...given);
    const client = clients.get(name);
    if (call === 'get') return given[0].split('.').reduce((value, key) => value?.[key], client);
    if (call === 'octets') return octetsOf(client);
    if (call === 'drop') return client.close();
    // It goes on until the next call: what it brings are events.
    if (call === 'idle') return void client.idle().catch(() => {});
    return client[call](...given);
}

readline.createInterface({ input: process.stdin }).on('line', async line => {
    const request = JSON.parse(line);
    try {
        say({ id: request.id, result: plain(await perform(request)) });
    } catch (error) {
        say({ id: request.id, error: plain(error) });
    }
}).on('close', () => {
    for (const client of clients.values()) client.close();
    process.exit(0);
});
