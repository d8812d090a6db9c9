// SPDX-License-Identifier: Apache-2.0
//
// Segments from the script to the list, the timeline and the table of members.
import assert from "node:assert/strict";
import { test } from "node:test";
import { basicShop, products, serve, SHOP } from "./harness.mjs";

const VIP = `segment "vip" {
  when = function(customer)
    return customer.orders.count >= 2 or customer.orders.revenue >= 1000
  end,
}\n`;
/** A list that shows by its order whether somebody is in a segment. */
const shows = (name) => `ranking "${name}" {
  score = function(product, customer)
    if customer:in_segment "${name}" then return product.price end
    return -product.price
  end,
}\n`;
const shop = (scripts, settings = SHOP) => ({ ...basicShop(settings), "scripts/segments.lua": scripts });
const order = (id, n, more = {}) => ({
  type: "track", anonymousId: id, event: "Order Completed", properties: { order_id: `${id}-${n}`, revenue: 10, products: [] }, ...more,
});
async function isIn(server, name, customer, more = {}) {
  const answer = await server.post("/v1/rank", { customer, ranking: name, where: {}, limit: 1, ...more });
  assert.equal(answer.status, 200, answer.text);
  return answer.body.items[0].id === "SKU-5";
}
async function start(t, scripts, options) {
  const server = await serve(t, shop(scripts, options?.settings), options);
  assert.equal((await server.call("PUT", "/v1/catalog/items", products(5))).status, 200);
  return server;
}

test("an order that is answered puts its person into the segment for the next decision", async (t) => {
  const server = await start(t, VIP + shows("vip"));
  assert.equal(await isIn(server, "vip", { anonymous_id: "a" }), false);
  await server.post("/v1/track", order("a", 1));
  assert.equal(await isIn(server, "vip", { anonymous_id: "a" }), false);
  await server.post("/v1/track", order("a", 2));
  assert.equal(await isIn(server, "vip", { anonymous_id: "a" }), true);
  assert.equal(await isIn(server, "vip", { anonymous_id: "somebody else" }), false);
  /* the secret key may ask as of another moment */
  const lately = `segment "lately" { when = function(customer) return now() - customer.orders.last_at < days(7) end }\n`;
  assert.equal((await server.call("PUT", "/v1/scripts/scripts/lately.lua", lately + shows("lately"), { "content-type": "text/plain" })).status, 200);
  const at = (days) => ({ at: new Date(Date.now() + days * 86400e3).toISOString() });
  assert.equal(await isIn(server, "lately", { anonymous_id: "a" }), true);
  assert.equal(await isIn(server, "lately", { anonymous_id: "a" }, at(6.9)), true);
  assert.equal(await isIn(server, "lately", { anonymous_id: "a" }, at(7.1)), false);
});

test("without consent to personalization somebody is in no segment", async (t) => {
  const server = await start(t, `segment "all" { when = function(customer) return true end }\n` + shows("all"));
  assert.equal(await isIn(server, "all", undefined), true);
  const no = { context: { consent: { categoryPreferences: { personalization: false } } } };
  await server.post("/v1/track", { type: "track", anonymousId: "no", event: "Looked", ...no });
  assert.equal(await isIn(server, "all", { anonymous_id: "no" }), false);
});

test("a segment that fails reads as no, is counted and said with its line; an unknown one does not publish", async (t) => {
  const server = await start(t, `segment "bad" {\n  when = function(customer) return customer.traits.tier > 3 end,\n}\n` + shows("bad"));
  await server.post("/v1/identify", { anonymousId: "a", traits: { tier: "gold" } });
  assert.equal(await isIn(server, "bad", { anonymous_id: "a" }), false);
  assert.match((await server.get("/metrics")).text, /^attune_segment_failures_total [1-9]/m);
  assert.match(server.log, /segment "bad": scripts\/segments\.lua:2: /);
  const refused = await server.call("PUT", "/v1/scripts/scripts/more.lua", shows("bda"), { "content-type": "text/plain" });
  assert.equal(refused.status, 422);
  assert.equal(refused.body.error.message, 'scripts/more.lua:3:28  there is no segment "bda" — did you mean "bad"?');
});
