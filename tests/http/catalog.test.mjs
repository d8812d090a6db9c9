// SPDX-License-Identifier: Apache-2.0
//
// The catalog over HTTP: upsert, patch, retire, results, complete lists; an answered change rules the next decision and
// survives a crash.
import assert from "node:assert/strict";
import { test } from "node:test";
import { products, serve, SHOP } from "./harness.mjs";

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
