// SPDX-License-Identifier: Apache-2.0
//
// The first complete path: one event in, one ranked list out by a Lua rule, one rail, one reload.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { products, serve, until } from "./harness.mjs";

test("an event in, a list out, a rail, a reload", async (t) => {
  const shop = await serve(t);
  const put = await shop.call("PUT", "/v1/catalog/items", products(20, (i) => ({ stock: i === 3 ? 0 : 5, rating: i === 7 ? 5 : 3 })));
  assert.equal(put.status, 200, put.text);
  assert.deepEqual([put.body.accepted, put.body.invalid], [20, 0]);

  const ask = { customer: { anonymous_id: "v-1" }, ranking: "collection", items: products(20).map((p) => p.id), limit: 20 };
  const before = await shop.post("/v1/rank", ask);
  assert.equal(before.status, 200, before.text);
  assert.equal(before.body.total, 19, "what is out of stock is hidden");
  assert.equal(before.body.items[0].id, "SKU-8", "the best rated is first");
  assert.ok(!before.body.items.some((item) => item.id === "SKU-4"));

  /* Taste is told from what everyone likes: others come by first, two for each product. */
  const others = products(40).map((p, i) => ({ type: "track", anonymousId: `w-${i}`, event: "Product Viewed", properties: { product_id: `SKU-${1 + (i % 20)}` } }));
  assert.equal((await shop.post("/v1/batch", { batch: others })).status, 200);

  for (let i = 0; i < 6; i++) {
    const event = { anonymousId: "v-1", event: "Product Viewed", properties: { product_id: "SKU-12" }, messageId: `m-${i}` };
    const answer = await shop.post("/v1/track", event);
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(answer.body, { success: true });
  }
  const after = await until(async () => {
    const list = await shop.post("/v1/rank", ask);
    return list.body.items[0].id !== "SKU-8" && list;
  });
  const brand = (id) => products(20).find((p) => p.id === id).brand;
  assert.equal(brand(after.body.items[0].id), brand("SKU-12"), "what fits the visitor comes first");

  const of = (list, id) => list.body.items.find((item) => item.id === id).score;
  const mine = await shop.post("/v1/rank", ask), other = await shop.post("/v1/rank", { ...ask, customer: { anonymous_id: "v-2" } });
  assert.ok(of(mine, "SKU-12") > of(other, "SKU-12") + 0.05, "somebody else has no taste for it, popular or not");

  const generation = after.body.generation;
  writeFileSync(join(shop.dir, "scripts/rankings/collection.lua"), 'ranking "collection" { score = function(product) return -product.price end }\n');
  const cheap = await until(async () => {
    const list = await shop.post("/v1/rank", ask);
    return list.body.generation > generation && list;
  });
  assert.deepEqual(cheap.body.items.slice(0, 3).map((item) => item.id), ["SKU-1", "SKU-2", "SKU-3"]);
  assert.equal(cheap.body.items[0].score, -10);

  const ended = await shop.stop();
  assert.equal(ended.code, 0, shop.log);
});
