// SPDX-License-Identifier: Apache-2.0
//
// Events in: every route, limits, deduplication, conflict, identity, orders, what the profile and the timeline show.
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { test } from "node:test";
import { basic, basicShop, KEYS, products, serve, until } from "./harness.mjs";

const customer = (shop, kind, value, rest = "") => shop.get(`/v1/customers/by/${kind}/${encodeURIComponent(value)}${rest}`);

test("every route of events takes its type, short names too", async (t) => {
  const shop = await serve(t);
  const bodies = {
    track: { event: "Product Viewed", properties: { product_id: "SKU-1" } }, page: { name: "Home" }, screen: { name: "Start" },
    identify: { userId: "u-1", traits: { name: "Ann", email: "Ann@Example.com" } }, group: { groupId: "g-1" },
    alias: { userId: "u-1", previousId: "v-1" },
  };
  for (const [type, body] of Object.entries(bodies))
    for (const path of [`/v1/${type}`, `/v1/${type[0]}`]) {
      const answer = await shop.post(path, { anonymousId: "v-1", ...body });
      assert.equal(answer.status, 200, `${path}: ${answer.text}`);
      assert.deepEqual(answer.body, { success: true });
    }
  const ann = await customer(shop, "email", "ann@example.com");
  assert.equal(ann.status, 200, ann.text);
  assert.equal(ann.body.traits.name, "Ann");
  const kinds = ann.body.identifiers.map((one) => `${one.kind}:${one.value}`).sort();
  assert.deepEqual(kinds, ["anonymous_id:v-1", "email:ann@example.com", "user_id:u-1"]);
  const timeline = await shop.get(`/v1/customers/${ann.body.id}/timeline`);
  assert.equal(timeline.body.events.length, 12);
  assert.equal(timeline.body.next, null);
});

test("what is wrong is said, and where; the good ones of a batch are kept", async (t) => {
  const shop = await serve(t);
  const refused = async (path, body, status, field) => {
    const answer = await shop.post(path, body);
    assert.equal(answer.status, status, answer.text);
    assert.ok(answer.body.error.message.length > 10);
    if (field) assert.equal(answer.body.error.field, field);
  };
  await refused("/v1/track", { event: "X" }, 400, "userId");
  await refused("/v1/track", { event: "X", anonymousId: "null" }, 400, "userId");
  await refused("/v1/track", { anonymousId: "v" }, 400, "event");
  await refused("/v1/track", { anonymousId: "v", event: "X", timestamp: "yesterday" }, 400, "timestamp");
  await refused("/v1/track", "[1,2", 400);
  await refused("/v1/track", "[]", 400);
  await refused("/v1/batch", { nothing: 1 }, 400, "batch");
  await refused("/v1/track", { anonymousId: "v", event: "X", properties: { text: "x".repeat(33 * 1024) } }, 400);
  const batch = await shop.post("/v1/batch", {
    batch: [
      { type: "track", anonymousId: "v", event: "A", messageId: "1" }, { type: "track", event: "B", messageId: "2" },
      { type: "nonsense", anonymousId: "v" }, { type: "page", anonymousId: "v", messageId: "3" },
      { type: "track", anonymousId: "v", event: "A", messageId: "1" }, { type: "track", anonymousId: "v", event: "other", messageId: "1" },
    ],
  });
  assert.equal(batch.status, 200, batch.text);
  assert.deepEqual(batch.body.results.map((one) => one.status), ["accepted", "invalid", "invalid", "accepted", "duplicate", "conflict"]);
  const many = await shop.post("/v1/batch", { batch: Array.from({ length: 2501 }, (_, i) => ({ type: "track", event: "E", anonymousId: `v${i}` })) });
  assert.equal(many.status, 413, many.text);
});

test("a message counts once, across a restart; another payload is a conflict", async (t) => {
  const shop = await serve(t);
  const event = { anonymousId: "v-1", event: "Product Viewed", messageId: "m-1", properties: { product_id: "A" } };
  assert.equal((await shop.post("/v1/track", event)).status, 200);
  assert.equal((await shop.post("/v1/track", event)).status, 200);
  assert.equal((await shop.post("/v1/track", { ...event, properties: { product_id: "B" } })).status, 409);
  const same = await Promise.all(Array.from({ length: 20 }, () => shop.post("/v1/track", { ...event, messageId: "m-2" })));
  assert.ok(same.every((answer) => answer.status === 200));
  assert.equal((await customer(shop, "anonymous_id", "v-1")).body.counts.product_viewed.total, 2);
  await shop.stop("SIGKILL");
  await shop.start();
  assert.equal((await shop.post("/v1/track", event)).status, 200);
  assert.equal((await shop.post("/v1/track", { ...event, properties: {} })).status, 409);
  const shown = await customer(shop, "anonymous_id", "v-1");
  assert.equal(shown.body.counts.product_viewed.total, 2, "effects are there exactly once after kill -9");
});

test("a conflict is kept once and shown in the timeline, changes nobody, and outlives kill -9 and the sealing of message ids", async (t) => {
  const shop = await serve(t);
  const send = (messageId, who, product) => shop.post("/v1/track", { ...who, event: "Product Viewed", messageId, properties: { product_id: product } });
  const timeline = async (visitor) => (await customer(shop, "anonymous_id", visitor, "/timeline")).body.events;
  const conflicts = async (visitor) => (await timeline(visitor)).filter((one) => one.conflict).map((one) => one.properties.product_id);
  assert.equal((await send("m-1", { anonymousId: "a" }, "A")).status, 200);
  assert.equal((await send("m-9", { anonymousId: "b" }, "A")).status, 200);
  const check = async () => {
    for (let i = 0; i < 3; i++) assert.equal((await send("m-1", { anonymousId: "a" }, "B")).status, 409);
    /* It names two people who are not one, an order and a new visitor: none of it happens. */
    const batch = [
      { type: "track", event: "Order Completed", messageId: "m-1", userId: "ann", anonymousId: "b", properties: { order_id: "o-1", revenue: 5 } },
      { type: "track", event: "Product Viewed", messageId: "m-1", anonymousId: "new", properties: { product_id: "C" } },
    ];
    const answer = await shop.post("/v1/batch", { batch });
    assert.deepEqual(answer.body.results.map((one) => one.status), ["conflict", "conflict"]);
    assert.deepEqual(await conflicts("a"), ["B"]);
    assert.deepEqual(await conflicts("new"), ["C"]);
    const { counts, products, sessions } = (await customer(shop, "anonymous_id", "a")).body;
    assert.equal(counts.product_viewed.total, 1);
    assert.deepEqual(products.map((one) => one.product), ["A"]);
    assert.equal(sessions, 1);
    const fresh = (await customer(shop, "anonymous_id", "new")).body;
    assert.deepEqual([fresh.sessions, fresh.counts, fresh.products, fresh.orders.count], [0, {}, [], 0]);
    assert.equal((await customer(shop, "user_id", "ann")).status, 404, "no link");
    assert.deepEqual((await timeline("b")).map((one) => [one.event, one.conflict ?? false]), [["Order Completed", true], ["Product Viewed", false]]);
  };
  await check();
  assert.equal((await shop.post("/v1/track", { userId: "bob", event: "Order Completed", properties: { order_id: "o-1", revenue: 7 } })).status, 200);
  assert.equal((await customer(shop, "user_id", "bob")).body.orders.revenue, 7, "the order was not claimed");
  await shop.stop("SIGKILL");
  await shop.start();
  await check();
  await shop.stop(); /* message ids go into a sealed run */
  await shop.start();
  await check();
  assert.equal((await send("m-1", { anonymousId: "a" }, "A")).status, 200, "the accepted one is a duplicate still");
  assert.match((await shop.get("/metrics")).text, /attune_events_conflict_total 5/);
});

test("a product with more facets than an event keeps is counted, and named once in the log", async (t) => {
  const shop = await serve(t);
  const tags = Array.from({ length: 150 }, (_, i) => `tag ${i} ${"x".repeat(80)}`);
  await shop.call("PUT", "/v1/catalog/items", [{ id: "WIDE", brand: "Acme", tags }, { id: "SLIM", brand: "Acme", tags: tags.slice(0, 60) }]);
  for (let i = 0; i < 3; i++)
    for (const id of ["WIDE", "SLIM"]) await shop.post("/v1/track", { anonymousId: "v", event: "Product Viewed", properties: { product_id: id } });
  assert.match((await shop.get("/metrics")).text, /attune_facets_cut_total 3\n/);
  assert.deepEqual(shop.log.match(/product \w+ has more than 8 KiB of facets/g), ["product WIDE has more than 8 KiB of facets"]);
});

test("signing in joins the visitor's past; another signed-in person on the browser does not", async (t) => {
  const shop = await serve(t);
  await shop.call("PUT", "/v1/catalog/items", products(10));
  const view = (who, id) => shop.post("/v1/track", { ...who, event: "Product Viewed", properties: { product_id: id } });
  await view({ anonymousId: "phone" }, "SKU-1");
  await view({ anonymousId: "laptop" }, "SKU-2");
  await shop.post("/v1/identify", { anonymousId: "phone", userId: "ann", traits: { email: "ann@example.com" } });
  await shop.post("/v1/identify", { anonymousId: "laptop", userId: "ann" });
  const ann = (await customer(shop, "user_id", "ann")).body;
  assert.equal(ann.counts.product_viewed.total, 2);
  assert.equal((await customer(shop, "anonymous_id", "laptop")).body.id, ann.id);
  assert.equal((await shop.get(`/v1/customers/${ann.id}/timeline`)).body.events.length, 4);
  await view({ anonymousId: "laptop", userId: "bob" }, "SKU-3");
  const bob = (await customer(shop, "user_id", "bob")).body;
  assert.notEqual(bob.id, ann.id);
  assert.equal(bob.counts.product_viewed.total, 1);
  assert.equal((await customer(shop, "user_id", "ann")).body.counts.product_viewed.total, 2);
  await shop.stop("SIGKILL");
  await shop.start();
  assert.equal((await customer(shop, "user_id", "ann")).body.counts.product_viewed.total, 2);
  assert.equal((await customer(shop, "anonymous_id", "phone")).body.id, ann.id);
});

test("many requests at once that find two people to be one merge them once", async (t) => {
  const shop = await serve(t, undefined, { args: ["--workers", "2"] });
  // The one known first was seen later: who is merged away must not come back as somebody never seen before all others.
  const seen = ["2026-11-02T00:00:00Z", "2026-11-01T00:00:00Z", "2026-11-03T00:00:00Z"];
  for (let i = 0; i < 40; i++) {
    const names = ["a", "b", "c"].map((letter) => `${letter}${i}`);
    for (const [k, anonymousId] of names.entries()) await shop.post("/v1/track", { anonymousId, event: "Seen", timestamp: seen[k] });
    const answers = await Promise.all(Array.from({ length: 24 }, (_, k) => shop.post("/v1/alias", { anonymousId: names[k % 3], previousId: names[(k + 1) % 3] })));
    assert.ok(answers.every((answer) => answer.status === 200), answers.find((answer) => answer.status !== 200)?.text);
    const ids = await Promise.all(names.map((name) => customer(shop, "anonymous_id", name)));
    assert.equal(new Set(ids.map((one) => one.body.id)).size, 1);
    assert.equal((await shop.get(`/v1/customers/${ids[0].body.id}/timeline`)).body.events.length, 27);
  }
});

test("an order counts once whoever tells of it; a refund is subtracted", async (t) => {
  const shop = await serve(t);
  const order = (messageId, extra = {}) => shop.post("/v1/track", {
    userId: "ann", event: "Order Completed", messageId, properties: { order_id: "1001", revenue: 50, products: [{ product_id: "A", price: 25, quantity: 2 }], ...extra },
  });
  await shop.post("/v1/track", { userId: "ann", event: "Product Added", properties: { product_id: "A", price: 25, quantity: 2 } });
  assert.equal((await customer(shop, "user_id", "ann")).body.basket.value, 50);
  assert.equal((await order("a")).status, 200);
  assert.equal((await order("b")).status, 200);
  await Promise.all([order("c"), order("d", { revenue: 51 })]);
  let ann = (await customer(shop, "user_id", "ann")).body;
  assert.deepEqual([ann.orders.count, ann.orders.revenue, ann.basket.items.length], [1, 50, 0]);
  const refund = (messageId) => shop.post("/v1/track", { userId: "ann", event: "Order Refunded", messageId, properties: { order_id: "1001", refund_id: "r1", total: 20 } });
  await refund("r-a");
  await refund("r-b");
  ann = (await customer(shop, "user_id", "ann")).body;
  assert.equal(ann.orders.refunded, 20);
  assert.equal(ann.products[0].bought, 1);
});

test("a later copy of an order fills what the first lacked, whoever tells it; the timeline shows it as one", async (t) => {
  const shop = await serve(t);
  await shop.call("PUT", "/v1/catalog/items", [{ id: "A", brand: "Acme", price: 25, stock: 5 }]);
  const tell = (messageId, properties, who = { userId: "ann" }) => shop.post("/v1/track", { ...who, event: "Order Completed", messageId, properties });
  const ann = async () => (await customer(shop, "user_id", "ann")).body;
  await tell("a", { order_id: "#1001" });
  assert.deepEqual((await ann()).orders.revenue, 0);
  await tell("b", { order_id: "450789469", order_number: 1001, revenue: 50, products: [{ product_id: "A", price: 25, quantity: 2 }] });
  await tell("c", { order_id: "1001", revenue: 99, products: [{ product_id: "A", price: 25, quantity: 1 }] });
  const { orders, counts, products, affinity } = await ann();
  assert.deepEqual([orders.count, orders.revenue, counts.order_completed.total], [1, 50, 1]);
  assert.deepEqual([products[0].product, products[0].bought], ["A", 1]);
  assert.ok(affinity.brand.Acme > 0);
  const timeline = (await customer(shop, "user_id", "ann", "/timeline")).body.events;
  assert.deepEqual(timeline.map((one) => one.again ?? false), [true, true, false]);
  /* Somebody else tells of the same number at once: it is the same order. A year later it is another one. */
  await tell("d", { order_id: "7", order_number: "1001", revenue: 5 }, { userId: "bob" });
  assert.equal((await customer(shop, "user_id", "bob")).body.orders.count, 0);
  const later = { type: "track", userId: "bob", event: "Order Completed", messageId: "e", timestamp: "2025-01-01T00:00:00Z", properties: { order_id: "9", order_number: "1001", revenue: 5 } };
  assert.equal((await shop.post("/v1/import", { batch: [later] })).status, 200);
  assert.equal((await customer(shop, "user_id", "bob")).body.orders.count, 1);
  const many = await Promise.all(Array.from({ length: 20 }, (_, i) => tell(`m-${i}`, i % 2 ? { order_id: "2002" } : { order_id: "88", order_number: 2002, revenue: 3 }, { userId: `u${i}` })));
  assert.ok(many.every((answer) => answer.status === 200));
  const counted = await Promise.all(many.map((_, i) => customer(shop, "user_id", `u${i}`)));
  assert.equal(counted.reduce((sum, one) => sum + one.body.orders.count, 0), 1, "of twenty at once one counts");
});

test("bodies may be gzip or text/plain; too large ones are refused", async (t) => {
  const shop = await serve(t);
  const event = JSON.stringify({ anonymousId: "v", event: "A", properties: { text: "abc".repeat(300) } });
  assert.equal((await shop.call("POST", "/v1/track", gzipSync(event), { "content-encoding": "gzip" })).status, 200);
  assert.equal((await shop.call("POST", "/v1/track", event, { "content-type": "text/plain" })).status, 200);
  assert.equal((await shop.call("POST", "/v1/track", event, { "content-type": "application/xml" })).status, 415);
  assert.equal((await shop.call("POST", "/v1/track", gzipSync("x".repeat(100000)), { "content-encoding": "gzip" })).status, 413, "more than 20 times");
  assert.equal((await shop.call("POST", "/v1/track", "not gzip at all", { "content-encoding": "gzip" })).status, 400);
  assert.equal((await shop.call("POST", "/v1/track", "x".repeat(700 * 1024))).status, 413);
  const invalid = await shop.call("POST", "/v1/track", new Uint8Array([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d]));
  assert.equal(invalid.status, 400);
  assert.match(invalid.body.error.message, /byte 6.*UTF-8/);
});

test("imported events act at their own time; the clock rule corrects others", async (t) => {
  const shop = await serve(t);
  const at = "2020-02-03T04:05:06.789Z";
  await shop.post("/v1/import", { batch: [{ type: "track", userId: "old", event: "A", timestamp: at, messageId: "i1" }] });
  assert.equal((await shop.get("/v1/customers/by/user_id/old/timeline")).body.events[0].timestamp, at);
  const sent = new Date(Date.now() + 3600e3), original = new Date(sent.getTime() - 60e3);
  await shop.post("/v1/track", { userId: "skewed", event: "A", originalTimestamp: original.toISOString(), sentAt: sent.toISOString() });
  const seen = Date.parse((await shop.get("/v1/customers/by/user_id/skewed/timeline")).body.events[0].timestamp);
  assert.ok(Math.abs(Date.now() - 60e3 - seen) < 5000, "an hour of a wrong clock is taken out");
});

test("a timeline is read page by page", async (t) => {
  const shop = await serve(t);
  const batch = Array.from({ length: 120 }, (_, i) => ({ type: "track", anonymousId: "v", event: `E${i}`, messageId: `m${i}` }));
  assert.equal((await shop.post("/v1/batch", { batch })).status, 200);
  const seen = [];
  for (let cursor = ""; cursor !== null;) {
    const page = (await shop.get(`/v1/customers/by/anonymous_id/v/timeline?limit=50${cursor && `&cursor=${cursor}`}`)).body;
    seen.push(...page.events.map((event) => event.message_id));
    cursor = page.next;
  }
  assert.deepEqual(seen, batch.map((event) => event.messageId).reverse());
  assert.equal((await shop.get("/v1/customers/by/user_id/nobody")).status, 404);
  assert.equal((await shop.get("/v1/customers/by/anonymous_id/v/timeline?limit=x")).status, 422);
});

test("the browser's way: settings, preflight, origins", async (t) => {
  const shop = await serve(t, basicShop(KEYS));
  const origin = { origin: "https://shop.example" };
  const settings = await shop.get("/v1/projects/wk_first_1/settings", origin);
  assert.equal(settings.status, 200);
  assert.equal(settings.body.integrations["Segment.io"].apiKey, "wk_first_1");
  assert.equal(settings.body.metrics.sampleRate, 0, "the SDK's figures about itself go to nobody");
  assert.equal(settings.headers.get("access-control-allow-origin"), "https://shop.example");
  assert.equal((await shop.get("/v1/projects/wk_x/settings")).status, 401);
  const preflight = await shop.call("OPTIONS", "/v1/track", undefined, { ...origin, "access-control-request-method": "POST" });
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers.get("access-control-allow-origin"), "https://shop.example");
  assert.match(preflight.headers.get("access-control-allow-methods"), /POST/);
  assert.match(preflight.headers.get("access-control-allow-headers"), /\bx-retry-count\b/, "what the SDK sends a second time carries it");
  const stranger = await shop.call("OPTIONS", "/v1/track", undefined, { origin: "https://evil.example" });
  assert.equal(stranger.headers.get("access-control-allow-origin"), null);
  assert.equal((await shop.post("/v1/t", { writeKey: "wk_second_2", anonymousId: "v", event: "A" }, origin)).status, 200);
  assert.equal((await shop.call("POST", "/v1/t", { anonymousId: "v", event: "A" }, basic("wk_first_1"))).status, 200);
  const shown = await until(() => shop.call("GET", "/v1/customers/by/anonymous_id/v/timeline", undefined, basic("sk_first_1")));
  assert.deepEqual(shown.body.events.map((event) => event.source), ["default", "web"]);
});
