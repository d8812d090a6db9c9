// SPDX-License-Identifier: Apache-2.0
//
// Where somebody came from the very first time: in whatever order it is told, over two people who are one, a fold anew, the export, and
// gone with the person.
import assert from "node:assert/strict";
import { test } from "node:test";
import { basicShop, forget, products, serve, until } from "./harness.mjs";

const NOW = Date.parse("2026-11-26T10:00:00Z"), DAY = 86400e3;
const args = ["--now", new Date(NOW).toISOString()];
const at = (ms) => ({ timestamp: new Date(ms).toISOString() });
const page = (id, ms, context) => ({ type: "page", anonymousId: id, messageId: `${id}-${ms}`, ...at(ms), context });
const AD = { campaign: { source: "newsletter", name: "spring sale", medium: "email" }, page: { path: "/sale", url: "https://shop.example/sale?utm_source=newsletter" } };
const SEARCH = { page: { path: "/", url: "https://shop.example/", referrer: "https://www.search.example/q" } };
const take = async (server, events) => {
  const answer = await server.post("/v1/import", { batch: events });
  assert.ok(answer.body.results?.every((one) => one.status === "accepted"), answer.text);
};
const acquired = async (server, id, kind = "anonymous_id") => (await server.get(`/v1/customers/by/${kind}/${id}`)).body.acquired;
const FROM_AD = { at: new Date(NOW - 9 * DAY).toISOString(), source: "newsletter", campaign: "spring sale", medium: "email", landing: AD.page.url, device: "", referrer: "" };
const FROM_SEARCH = { at: new Date(NOW - 20 * DAY).toISOString(), source: "www.search.example", campaign: "", medium: "", landing: SEARCH.page.url, device: "", referrer: SEARCH.page.referrer };

test("the first visit is the earliest, told in any order, and rules read it", async (t) => {
  const rule = `ranking "mailed" {
  score = function(product, customer)
    if customer.acquired.source == "newsletter" and customer.acquired.campaign == "spring sale" then return product.price end
    return -product.price
  end,
}\n`;
  const server = await serve(t, { ...basicShop(), "scripts/mailed.lua": rule }, { args });
  await server.call("PUT", "/v1/catalog/items", products(5));
  const events = [page("a", NOW - 9 * DAY, AD), page("a", NOW - 9 * DAY + 60e3, { page: { path: "/x" } }), page("a", NOW - 3 * DAY, SEARCH)];
  await take(server, events);
  await take(server, events.map((one) => ({ ...one, anonymousId: "b", messageId: `b${one.messageId}` })).reverse());
  for (const id of ["a", "b"]) {
    assert.deepEqual(await acquired(server, id), FROM_AD);
    const answer = await server.post("/v1/rank", { customer: { anonymous_id: id }, ranking: "mailed", where: {}, limit: 1 });
    assert.equal(answer.body.items[0].id, "SKU-5");
  }
  assert.equal((await server.get("/v1/customers/by/anonymous_id/a")).body.session.source, "", "the visit going on is another");
  const refused = await server.call("PUT", "/v1/scripts/scripts/mailed.lua", rule.replace(".acquired.source", ".acquired.sorce"), { "content-type": "text/plain" });
  assert.equal(refused.status, 422);
  assert.equal(refused.body.error.message, 'scripts/mailed.lua:3:26  customer.acquired has no field "sorce" — did you mean "source"?');
});

test("of two people who are one the earlier first visit holds, also folded anew; the export has it, an erasure takes it", async (t) => {
  const server = await serve(t, basicShop(), { args });
  await take(server, [page("phone", NOW - 9 * DAY, AD), page("laptop", NOW - 20 * DAY, SEARCH)]);
  assert.deepEqual(await acquired(server, "phone"), FROM_AD);
  assert.deepEqual(await acquired(server, "laptop"), FROM_SEARCH);
  for (const id of ["phone", "laptop"]) await take(server, [{ type: "identify", anonymousId: id, userId: "ann", messageId: `i-${id}`, traits: {}, ...at(NOW - DAY) }]);
  await until(async () => JSON.stringify(await acquired(server, "ann", "user_id")) === JSON.stringify(FROM_SEARCH));
  assert.deepEqual(await acquired(server, "phone"), FROM_SEARCH);
  const document = (await server.get("/v1/customers/by/user_id/ann/export")).body;
  assert.deepEqual(document.customer.acquired, FROM_SEARCH);
  assert.equal(document.records.profile[0].body.acquired.referrer, SEARCH.page.referrer);
  await server.stop();
  forget(server.dir);
  await server.start();
  assert.deepEqual(await acquired(server, "ann", "user_id"), FROM_SEARCH);
  assert.equal((await server.call("DELETE", "/v1/customers/by/user_id/ann")).status, 200);
  assert.equal((await server.get("/v1/customers/by/user_id/ann")).status, 404);
  await server.post("/v1/page", { anonymousId: "phone", context: { page: { path: "/new" } } });
  const { at: again, ...rest } = await acquired(server, "phone");
  assert.ok(Date.parse(again) >= NOW, "what they did before does not come in again");
  assert.deepEqual(rest, { source: "direct", campaign: "", medium: "", landing: "/new", device: "", referrer: "" });
});
