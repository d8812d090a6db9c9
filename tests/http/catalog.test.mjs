// SPDX-License-Identifier: Apache-2.0
//
// The catalog over HTTP: upsert, patch, retire, results, complete lists; an answered change rules the next decision and
// survives a crash.
import assert from "node:assert/strict";
import { test } from "node:test";
import { products, serve, SHOP, until } from "./harness.mjs";

const shopFiles = { "shop.lua": SHOP, "scripts/a.lua": 'ranking "cheap" { score = function(product) return -product.price end }\n' };
const order = async (shop) => (await shop.post("/v1/rank", { ranking: "cheap", where: {} })).body.items.map((item) => item.id);

test("put, get, patch, delete", async (t) => {
  const shop = await serve(t, shopFiles);
  const lines = products(3).map((one) => JSON.stringify(one)).join("\n");
  assert.equal((await shop.call("PUT", "/v1/catalog/items", lines, { "content-type": "application/x-ndjson" })).body.accepted, 3);
  assert.deepEqual(await order(shop), ["SKU-1", "SKU-2", "SKU-3"]);
  assert.equal((await shop.get("/v1/catalog/items/SKU-2")).body.title, "Product 2");
  assert.equal((await shop.call("PATCH", "/v1/catalog/items/SKU-3", { price: 1 })).status, 200);
  assert.deepEqual(await order(shop), ["SKU-3", "SKU-1", "SKU-2"]);
  assert.equal((await shop.call("PATCH", "/v1/catalog/items/SKU-3", { price: "cheap" })).status, 422);
  assert.equal((await shop.call("PATCH", "/v1/catalog/items/none", { price: 1 })).status, 404);
  assert.equal((await shop.call("DELETE", "/v1/catalog/items/SKU-1")).status, 200);
  assert.equal((await shop.get("/v1/catalog/items/SKU-1")).status, 404);
  assert.deepEqual(await order(shop), ["SKU-3", "SKU-2"]);
  await shop.stop("SIGKILL");
  await shop.start();
  assert.deepEqual(await order(shop), ["SKU-3", "SKU-2"], "after kill -9");
});

test("each bad row is said with its line; good ones are kept", async (t) => {
  const shop = await serve(t, shopFiles);
  const text = ['{"id":"a","price":1}', "{not json", '{"price":3}', '{"id":"b","price":"x"}', '{"id":"c","price":2}'].join("\n");
  const put = await shop.call("PUT", "/v1/catalog/items", text);
  assert.equal(put.status, 200, put.text);
  assert.deepEqual([put.body.accepted, put.body.invalid], [2, 3]);
  assert.deepEqual(put.body.results.map((one) => one.line), [2, 3, 4]);
  assert.ok(put.body.results.every((one) => one.message.length > 10));
  assert.deepEqual(await order(shop), ["a", "c"]);
});

test("bulk patch: each its own result, older ones change nothing, stock counts", async (t) => {
  const shop = await serve(t, shopFiles);
  await shop.call("PUT", "/v1/catalog/items", products(3));
  const patch = (lines) => shop.call("PATCH", "/v1/catalog/items", lines.map((one) => JSON.stringify(one)).join("\n"));
  const answer = await patch([
    { id: "SKU-1", price: 99, updated_at: "2026-01-02T00:00:00Z" }, { id: "SKU-1", price: 1, updated_at: "2026-01-01T00:00:00Z" },
    { id: "SKU-2", stock: { add: -2 } }, { id: "none", stock: 1 }, { id: "SKU-3", stock: "many" },
  ]);
  assert.deepEqual(answer.body.results.map((one) => one.status), ["accepted", "unchanged", "accepted", "not_found", "invalid"]);
  assert.equal((await shop.get("/v1/catalog/items/SKU-1")).body.price, 99);
  assert.equal((await shop.get("/v1/catalog/items/SKU-2")).body.stock, 3);
  assert.equal((await patch(Array.from({ length: 5001 }, (_, i) => ({ id: `x${i}` })))).status, 413);
});

test("a complete list retires the rest, but never more than a tenth by accident", async (t) => {
  const shop = await serve(t, shopFiles);
  await shop.call("PUT", "/v1/catalog/items", products(20));
  const few = await shop.call("PUT", "/v1/catalog/items?complete=true", products(10));
  assert.equal(few.status, 422, few.text);
  assert.equal(few.body.error.code, "too_many_retired");
  assert.equal((await order(shop)).length, 20, "nothing was changed");
  assert.equal((await shop.call("PUT", "/v1/catalog/items?complete=true", products(19))).body.retired, 1);
  assert.equal((await shop.call("PUT", "/v1/catalog/items?complete=true&sure=true", products(10))).body.retired, 9);
  assert.equal((await order(shop)).length, 10);
});

test("an event may name product, variant or SKU", async (t) => {
  const shop = await serve(t, shopFiles);
  await shop.call("PUT", "/v1/catalog/items", [{ id: "shirt", price: 1, brand: "Acme", variants: [{ id: "shirt-s", sku: "S-1" }, { id: "shirt-m", sku: "M-1" }] }]);
  for (const properties of [{ product_id: "shirt" }, { variant: "shirt-s" }, { sku: "M-1" }])
    await shop.post("/v1/track", { anonymousId: "v", event: "Product Viewed", properties });
  const shown = (await shop.get("/v1/customers/by/anonymous_id/v")).body;
  assert.deepEqual(shown.products.map((one) => [one.product, one.views]), [["shirt", 3]]);
});

test("events before their products count as events after them, through kill -9, restarts and variant ids", async (t) => {
  const files = { "shop.lua": SHOP, "scripts/a.lua": 'ranking "popular" { score = function(product) return product.popularity + product.trending + product.conversion end }\n' };
  const catalog = products(12, (i) => ({ variants: [{ id: `V-${i + 1}` }] }));
  const tell = async (shop) => {
    const batch = [];
    for (let i = 1; i <= 12; i++)
      for (let k = 0; k < 13 - i; k++)
        batch.push({ type: "track", anonymousId: `v${k}`, event: "Product Viewed", properties: { product_id: k % 3 ? `SKU-${i}` : `V-${i}` } });
    batch.push({ type: "track", userId: "ann", event: "Order Completed", properties: { order_id: "1", products: [{ product_id: "V-7", price: 5 }, { product_id: "SKU-9", price: 5 }] } });
    batch.push({ type: "track", anonymousId: "v1", event: "Product List Viewed", properties: { products: ["SKU-1", "SKU-2"] } });
    assert.equal((await shop.post("/v1/batch", { batch })).status, 200);
  };
  const put = async (shop, list = catalog) => assert.equal((await shop.call("PUT", "/v1/catalog/items", list)).status, 200);
  const scores = async (shop) => Object.fromEntries((await shop.post("/v1/rank", { ranking: "popular", where: {} })).body.items.map((item) => [item.id, item.score]));
  const again = async (shop, signal) => (await shop.stop(signal), await shop.start());
  const first = await serve(t, files), expected = {};
  await put(first);
  await tell(first);
  await until(async () => Object.assign(expected, await scores(first))["SKU-7"] > 1);
  const arrives = async (shop, what) => {
    let last;
    await until(async () => Object.entries((last = await scores(shop))).every(([id, score]) => Math.abs(score - expected[id]) < 1e-3)).catch(() => {});
    for (const [id, score] of Object.entries(expected)) assert.ok(Math.abs(last[id] - score) < 1e-3, `${what}, ${id}: ${last[id]}, expected ${score}`);
  };
  await arrives(first, "itself");
  const later = await serve(t, files);
  await tell(later);
  await put(later);
  await arrives(later, "the catalog at once");
  const restarted = await serve(t, files);
  await tell(restarted);
  await again(restarted, "SIGTERM");
  await again(restarted, "SIGKILL");
  await put(restarted, catalog.slice(0, 5));
  await again(restarted, "SIGKILL");
  await put(restarted, catalog);
  await arrives(restarted, "after restarts, in two parts");
  await again(restarted, "SIGKILL");
  await arrives(restarted, "and once more");
});

test("of products that never come the weakest go, and are counted", async (t) => {
  const shop = await serve(t, { "shop.lua": SHOP, "scripts/a.lua": 'ranking "popular" { score = function(product) return product.popularity end }\n' });
  const view = (id) => ({ type: "track", anonymousId: "v", event: "Product Viewed", properties: { product_id: id } });
  await shop.post("/v1/batch", { batch: [view("SKU-2"), view("SKU-2"), view("SKU-2")] });
  const list = (k) => ({ type: "track", anonymousId: "v", event: "Product List Viewed", properties: { products: Array.from({ length: 500 }, (_, i) => `junk-${k}-${i}`) } });
  for (let k = 0; k < 22; k++) assert.equal((await shop.post("/v1/batch", { batch: [list(k)] })).status, 200);
  await until(async () => /attune_unknown_products_dropped_total 5000/.test((await shop.get("/metrics")).text));
  await shop.call("PUT", "/v1/catalog/items", products(3));
  await until(async () => (await shop.post("/v1/rank", { ranking: "popular", where: {} })).body.items[0].score > 0.9);
  assert.equal((await shop.post("/v1/rank", { ranking: "popular", where: {} })).body.items[0].id, "SKU-2");
});
