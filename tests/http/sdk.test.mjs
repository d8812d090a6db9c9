// SPDX-License-Identifier: Apache-2.0
//
// The tracking SDKs from the registry, unmodified: every method they have, 250 events through their own batching, with one
// 503 and one restart of the server in between. Every event is read back from the timelines, equal to what was sent.
import assert from "node:assert/strict";
import http from "node:http";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { basicShop, bearer, KEYS, serve } from "./harness.mjs";

/** Stands between an SDK and the server: refuses one request, has the server restarted once, remembers what was sent. */
async function wire(t, shop) {
  const sent = new Map(), counts = { requests: 0, refused: 0, restarts: 0, gzip: 0 };
  let restarting = null;
  const proxy = http.createServer((request, response) => {
    const pieces = [];
    request.on("data", (piece) => pieces.push(piece));
    request.on("end", async () => {
      const raw = Buffer.concat(pieces);
      counts.requests++;
      if (counts.requests === 2) {
        counts.refused++;
        response.writeHead(503, { "retry-after": "1" }).end("busy");
        return;
      }
      if (counts.requests === 4) {
        counts.restarts++;
        restarting = shop.stop().then(() => shop.start());
      }
      await restarting;
      const isGzip = request.headers["content-encoding"] === "gzip";
      counts.gzip += isGzip;
      const body = JSON.parse((isGzip ? gunzipSync(raw) : raw).toString());
      for (const event of body.batch ?? [body]) sent.set(event.messageId, event);
      const headers = { ...request.headers, host: `127.0.0.1:${shop.port}` };
      delete headers["transfer-encoding"];
      headers["content-length"] = raw.length;
      const onward = http.request({ host: "127.0.0.1", port: shop.port, method: request.method, path: request.url, headers }, (answer) => {
        const back = [];
        answer.on("data", (piece) => back.push(piece));
        answer.on("end", () => response.writeHead(answer.statusCode, { "content-type": "application/json" }).end(Buffer.concat(back)));
      });
      onward.on("error", () => response.writeHead(503).end());
      onward.end(raw);
    });
  });
  await new Promise((done) => proxy.listen(0, "127.0.0.1", done));
  t.after(() => proxy.close());
  return { url: `http://127.0.0.1:${proxy.address().port}`, sent, counts };
}

/** Two of each method but track, track for the rest, over 10 people: 250 calls. */
function callAll(sdk, prefix) {
  for (let i = 0; i < 2; i++) {
    const who = { anonymousId: `${prefix}-a${i}`, userId: `${prefix}-u${i}` };
    sdk.identify({ ...who, traits: { name: `Person ${i}`, email: `${prefix}${i}@example.com`, nested: { a: [1, 2, { b: "ä" }] } } });
    sdk.page({ ...who, name: "Home", properties: { path: `/p/${i}`, title: "Überschrift" } });
    sdk.screen({ ...who, name: "Start", properties: { depth: i } });
    sdk.group({ ...who, groupId: `g${i}`, traits: { plan: "gold" } });
    sdk.alias({ userId: `${prefix}-u${i}`, previousId: `${prefix}-old${i}` });
  }
  for (let i = 0; i < 240; i++)
    sdk.track({
      anonymousId: `${prefix}-a${i % 10}`, userId: `${prefix}-u${i % 10}`, event: i % 3 ? "Product Viewed" : "Product Added",
      properties: { product_id: `SKU-${i}`, price: i / 7, quantity: 1 + (i % 4), tags: ["a", "b"], nothing: null, text: `"${i}" \n €` },
    });
}

async function readBack(shop, prefix, people) {
  const seen = new Map();
  for (let i = 0; i < people; i++)
    for (let cursor = ""; cursor !== null;) {
      const page = await shop.get(`/v1/customers/by/user_id/${prefix}-u${i}/timeline?limit=100${cursor && `&cursor=${cursor}`}`, bearer("sk_first_1"));
      assert.equal(page.status, 200, page.text);
      for (const event of page.body.events) {
        assert.ok(!seen.has(event.message_id), `${event.message_id} is there once`);
        seen.set(event.message_id, event);
      }
      cursor = page.body.next;
    }
  return seen;
}

function compare(sent, seen) {
  assert.equal(sent.size, 250);
  assert.equal(seen.size, 250);
  for (const [id, event] of sent) {
    const got = seen.get(id);
    assert.ok(got, `${id} (${event.type}) is there`);
    assert.equal(got.type, event.type);
    assert.deepEqual(got.properties, event.properties ?? {});
    if (event.traits) assert.deepEqual(got.traits, event.traits);
    if (event.timestamp && !event.originalTimestamp) assert.equal(Date.parse(got.timestamp), Date.parse(event.timestamp));
    if (event.originalTimestamp) {
      assert.equal(got.original_timestamp, event.originalTimestamp);
      const drift = Date.parse(got.timestamp) - Date.parse(event.originalTimestamp);
      assert.ok(drift >= -5 && drift < 30000, `the clock rule moved it by ${drift} ms`);
    }
    if (event.event) assert.equal(got.event, event.event);
  }
}

test("@segment/analytics-node", async (t) => {
  const { Analytics } = await import("@segment/analytics-node");
  const shop = await serve(t, basicShop(KEYS));
  const between = await wire(t, shop);
  const sdk = new Analytics({ writeKey: "wk_first_1", host: between.url, path: "/v1/batch", flushAt: 20, flushInterval: 200, maxRetries: 8 });
  const errors = [];
  sdk.on("error", (error) => errors.push(error));
  callAll(sdk, "seg");
  await sdk.closeAndFlush({ timeout: 60000 });
  assert.deepEqual(errors, []);
  assert.deepEqual([between.counts.refused, between.counts.restarts], [1, 1]);
  compare(between.sent, await readBack(shop, "seg", 10));
});

test("@rudderstack/rudder-sdk-node", async (t) => {
  const { default: module } = await import("@rudderstack/rudder-sdk-node");
  const RudderAnalytics = module.default ?? module;
  const shop = await serve(t, basicShop(KEYS));
  const between = await wire(t, shop);
  const sdk = new RudderAnalytics("wk_first_1", { dataPlaneUrl: between.url, flushAt: 20, flushInterval: 200, gzip: true, logLevel: "error" });
  callAll(sdk, "rud");
  const end = Date.now() + 60000;
  let seen = new Map();
  while (Date.now() < end && seen.size < 250) {
    await sdk.flush().catch(() => {});
    await new Promise((done) => setTimeout(done, 200));
    if (between.sent.size === 250) seen = await readBack(shop, "rud", 10).catch(() => new Map());
  }
  assert.deepEqual([between.counts.refused, between.counts.restarts], [1, 1]);
  assert.ok(between.counts.gzip > 0, "its bodies were gzip");
  compare(between.sent, seen);
});
