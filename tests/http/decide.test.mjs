// SPDX-License-Identifier: Apache-2.0
//
// Decisions out: candidates, sort, paging, fields, several asks, rails, explanation, why not, fallback, clocks, ceilings.
import assert from "node:assert/strict";
import { test } from "node:test";
import { basic, basicShop, bearer, KEYS, products, serve, SHOP, until } from "./harness.mjs";

const ids = (answer) => answer.body.items.map((item) => item.id);
const load = async (shop, list, headers) => {
  const put = await shop.call("PUT", "/v1/catalog/items", list, headers);
  assert.equal(put.status, 200, put.text);
  assert.equal(put.body.invalid, 0, put.text);
};
const rules = (text, extra = {}) => ({ "shop.lua": SHOP, "scripts/rankings/a.lua": text, ...extra });
const byPrice = 'ranking "cheap" { score = function(product) return -product.price end }\n';

test("candidates by items and by where; sort, limit, offset, fields, unknown ids", async (t) => {
  const shop = await serve(t, rules(byPrice));
  await load(shop, products(30, (i) => ({ rating: i % 6, tags: i % 2 ? ["sale", "new"] : ["new"], released: `2026-01-${String(i + 1).padStart(2, "0")}` })));
  const rank = (ask) => shop.post("/v1/rank", { ranking: "cheap", ...ask });
  assert.deepEqual(ids(await rank({ items: ["SKU-9", "SKU-2", "SKU-9", "nope", "SKU-5"] })), ["SKU-2", "SKU-5", "SKU-9"]);
  assert.deepEqual((await rank({ items: ["SKU-9", "nope"] })).body.unknown, ["nope"]);
  const where = await rank({ where: { category: "category-1", price: { at_most: 25 } } });
  assert.deepEqual(ids(where), ["SKU-2", "SKU-7", "SKU-12"]);
  assert.equal(where.body.total, 3);
  assert.deepEqual(ids(await rank({ where: { tags: "sale", brand: ["Brand 1", "Brand 3"] } })), ["SKU-2", "SKU-4", "SKU-16", "SKU-18", "SKU-30"]);
  assert.deepEqual(ids(await rank({ where: {}, sort: "-price", limit: 2 })), ["SKU-30", "SKU-29"]);
  assert.deepEqual(ids(await rank({ where: {}, sort: "newest", limit: 2, offset: 1 })), ["SKU-29", "SKU-28"]);
  const fields = await rank({ where: {}, limit: 1, fields: ["title", "price", "tags", "nothing"] });
  assert.deepEqual(fields.body.items[0], { id: "SKU-1", score: -10, title: "Product 1", price: 10, tags: ["new"] });
});

test("the only visitor there ever was sees an effect of their first views, at once and later", async (t) => {
  const shop = await serve(t, rules('ranking "mine" { score = function(product) return product.affinity end }\n'));
  await load(shop, products(60, (i) => ({ category: `category-${i % 3}` })));
  const check = async (when) => {
    const list = { ranking: "mine", where: {}, limit: 60, customer: { anonymous_id: "me" } };
    const { items } = (await shop.post("/v1/rank", list)).body, score = Object.fromEntries(items.map((item) => [item.id, item.score]));
    /* SKU-26: brand and category of what was viewed; SKU-12: the brand; SKU-8: the category; SKU-1: neither */
    assert.ok(score["SKU-26"] > score["SKU-12"] && score["SKU-12"] > score["SKU-1"] && score["SKU-8"] > score["SKU-1"], `${when}: ${JSON.stringify(score)}`);
    assert.ok(score["SKU-26"] > 0.05 && score["SKU-1"] === 0, `${when}: ${JSON.stringify(score)}`);
    assert.equal(items.findIndex((item) => item.id === "SKU-26") < 4, true, `${when}: it is on top`);
    return score;
  };
  for (const id of ["SKU-5", "SKU-5"]) await shop.post("/v1/track", { anonymousId: "me", event: "Product Viewed", properties: { product_id: id } });
  const first = await check("at once");
  await new Promise((done) => setTimeout(done, 2500)); /* everyone's tastes are published each second */
  const later = await check("later");
  assert.ok(later["SKU-26"] !== first["SKU-26"], "the shelf is known by then");
});

test("what cannot be asked is refused with the field and what to do", async (t) => {
  const shop = await serve(t, rules(byPrice));
  await load(shop, products(3));
  const refused = async (ask, status, code, field) => {
    const answer = await shop.post("/v1/rank", ask);
    assert.equal(answer.status, status, answer.text);
    assert.equal(answer.body.error.code, code, answer.text);
    if (field) assert.equal(answer.body.error.field, field);
    return answer.body.error.message;
  };
  assert.match(await refused({ ranking: "cheep", where: {} }, 422, "unknown_ranking", "ranking"), /did you mean "cheap"/);
  await refused({ where: {} }, 422, "no_ranking", "ranking");
  await refused({ ranking: "cheap", items: [], where: {} }, 422, "items_and_where");
  assert.match(await refused({ ranking: "cheap", where: { colour: "red" } }, 422, "unknown_attribute"), /colour/);
  await refused({ ranking: "cheap", where: { price: { at_most: "x" } } }, 422, "wrong_kind", "price");
  await refused({ ranking: "cheap", where: {}, limit: 0 }, 422, "bad_number", "limit");
  await refused({ ranking: "cheap", where: {}, sort: "weight" }, 422, "unknown_attribute", "sort");
  await refused({ ranking: "cheap", where: {}, facets: ["brand"] }, 422, "not_in_this_version", "facets");
  assert.match(await refused({ ranking: "cheap", where: {}, limitt: 3 }, 422, "unknown_field"), /limit/);
  await refused({ ranking: "cheap", items: Array.from({ length: 10001 }, (_, i) => `x${i}`) }, 422, "too_many_items", "items");
  const terms = Object.fromEntries(Array.from({ length: 17 }, (_, i) => [i ? "price" + " ".repeat(i) : "price", 1]));
  assert.equal((await shop.post("/v1/rank", { ranking: "cheap", where: terms })).status, 422);
  const asks = Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`a${i}`, { ranking: "cheap", where: {} }]));
  assert.equal((await shop.post("/v1/decide", { ask: asks })).body.error.code, "too_many_asks");
  assert.equal((await shop.post("/v1/decide", {})).status, 400);
});

test("several asks: one that fails has its own error", async (t) => {
  const shop = await serve(t, rules(byPrice));
  await load(shop, products(10));
  const answer = await shop.post("/v1/decide", {
    customer: { anonymous_id: "v" }, context: { page: "home" },
    ask: { list: { ranking: "cheap", where: {}, limit: 2 }, bad: { ranking: "none", where: {} }, later: { recommendation: "x" }, again: { ranking: "cheap", items: ["SKU-4"] } },
  });
  assert.equal(answer.status, 200, answer.text);
  const { answers } = answer.body;
  assert.deepEqual(answers.list.items.map((item) => item.id), ["SKU-1", "SKU-2"]);
  assert.equal(answers.bad.error.code, "unknown_ranking");
  assert.equal(answers.later.error.code, "not_in_this_version");
  assert.deepEqual(answers.again.items.map((item) => item.id), ["SKU-4"]);
});

test("the one order of a list: rails, first, bury, diversify, pin", async (t) => {
  const shop = await serve(t, rules(`
ranking "all" {
  first = function(product) return product.price:below(12) end,
  score = function(product) return product.price end,
  diversify = { by = "brand", at_most = 1, within = 3 },
}`, {
    "scripts/rails/r.lua": `
rail "in stock" { only = function(product) return product.stock:above(0) end }
rail "no acme on sofas" { on = "collection/sofas", hide = function(product) return product.brand:is "Brand 2" end }
rail "clearance last" { bury = function(product) return product.tags:contains "clearance" end }
rail "campaign" { on = "collection", pin = { "SKU-5", [3] = "SKU-6" }, from = "2026-11-01", to = "2026-12-24" }
`}), { args: ["--now", "2026-11-26T10:00:00Z"] });
  await load(shop, products(20, (i) => ({ stock: i === 10 ? 0 : 3, tags: i === 19 ? ["clearance"] : [] })));
  const rank = (page, extra = {}) => shop.post("/v1/rank", { ranking: "all", where: {}, limit: 20, context: { page }, ...extra });
  const home = await rank("home");
  assert.equal(home.body.total, 19);
  assert.ok(!ids(home).includes("SKU-11"), "sold out is nowhere");
  assert.deepEqual(new Set(ids(home).slice(0, 2)), new Set(["SKU-1", "SKU-2"]), "first comes first");
  assert.equal(ids(home).at(-1), "SKU-20", "buried although dearest");
  const brands = ids(home).slice(0, 17).map((id) => (Number(id.slice(4)) - 1) % 7);
  for (let i = 2; i < 15; i++) assert.ok(new Set(brands.slice(i, i + 3)).size === 3 || i > 12, `diverse at ${i}`);
  const sofas = await rank("collection/sofas");
  assert.ok(ids(sofas).every((id) => (Number(id.slice(4)) - 1) % 7 !== 2), "hidden below that page");
  assert.equal(ids(sofas)[0], "SKU-5", "pinned");
  assert.equal(ids(sofas)[2], "SKU-6", "pinned");
  const sorted = await rank("collection/sofas", { sort: "-price", limit: 3 });
  assert.equal(ids(sorted)[0], "SKU-20", "the shopper's own sort rests pins and bury, not hide and only");
  const late = await shop.post("/v1/rank", { ranking: "all", where: {}, context: { page: "collection/sofas" }, at: "2026-12-25T12:00:00Z" });
  assert.notEqual(ids(late)[0], "SKU-5", "the campaign is over");
});

test("explanations: terms add up, rails say what they did, why not", async (t) => {
  const shop = await serve(t, basicShop(KEYS));
  await load(shop, products(40, (i) => ({ stock: i === 5 ? 0 : 2, rating: i % 5 })), bearer("sk_first_1"));
  const ask = { ranking: "collection", where: {}, limit: 5, explain: true };
  const told = await shop.post("/v1/rank", ask, bearer("sk_first_1"));
  assert.equal(told.status, 200, told.text);
  assert.equal(told.body.script, "scripts/rankings/collection.lua:1");
  for (const item of told.body.items) {
    const sum = item.terms.reduce((total, term) => total + term.value, 0);
    assert.ok(Math.abs(sum - item.score) < 1e-9, "terms add up to the score");
    assert.ok(item.terms.every((term) => term.line === 3 && term.text.length > 3));
    assert.equal(typeof item.features.affinity, "number");
    assert.equal(item.place.because, "score");
  }
  assert.deepEqual(told.body.not, [{ id: "SKU-6", because: "only", rail: "in stock only" }]);
  assert.equal((await shop.post("/v1/rank", ask, basic("wk_first_1"))).status, 403);
  const plain = await shop.post("/v1/rank", { ranking: "collection", where: {}, limit: 3 }, basic("wk_first_1"));
  const why = (query) => shop.get(`/v1/decisions/${plain.body.decision}${query}`, bearer("sk_first_1"));
  const again = await why("");
  assert.deepEqual(again.body.items.map((item) => item.id), plain.body.items.map((item) => item.id), "explained as decided");
  assert.deepEqual((await why("?why_not=SKU-6")).body.not, [{ id: "SKU-6", because: "only", rail: "in stock only" }]);
  assert.equal((await why("?why_not=SKU-9999")).body.not[0].because, "unknown_product");
  const further = (await why(`?why_not=SKU-40`)).body.not[0];
  assert.equal(further.because, "further_down");
  assert.ok(further.place > 3);
  assert.equal((await shop.get("/v1/decisions/01ARZ3NDEKTSV4RRFFQ69G5FAV", bearer("sk_first_1"))).status, 404);
});

test("a decision that is gone says why; one that is logged is found at once, and after a restart", async (t) => {
  const shop = await serve(t, basicShop(), { args: ["--memory", "64M"] });
  await load(shop, products(500));
  const rank = (extra) => shop.post("/v1/rank", { ranking: "collection", where: {}, limit: 2, customer: { user_id: "ann" }, ...extra });
  const find = (id, query = "") => shop.get(`/v1/decisions/${id}${query}`);
  await shop.post("/v1/identify", { userId: "ann" });
  const told = (await rank({ explain: true })).body, ids = [];
  const logged = (await shop.get("/v1/customers/by/user_id/ann/decisions")).body.decisions;
  assert.deepEqual(logged.map((one) => [one.decision, one.answer.items.length]), [[told.decision, 2]], "just asked, just listed");
  for (let i = 0; i < 20; i++) ids.push((await rank()).body.decision);
  assert.equal((await find(ids[0])).body.decision, ids[0], "remembered");
  await until(async () => {
    await Promise.all(Array.from({ length: 100 }, () => rank({ limit: 500 })));
    return (await find(told.decision)).body.answer; /* memory has moved on: what the log holds */
  }, { within: 60000 });
  assert.equal((await find(told.decision)).body.answer.items.length, 2);
  assert.equal((await find(told.decision, "?why_not=SKU-1")).body.error.code, "too_late");
  await shop.stop("SIGKILL");
  await shop.start();
  assert.equal((await find(told.decision)).body.answer.items.length, 2);
  const answers = await Promise.all(ids.map((id) => find(id))), gone = answers.filter((answer) => answer.status === 404);
  assert.ok(gone.length > 10 && answers.every((answer) => answer.status === 404 || answer.body.answer));
  for (const { body } of gone) {
    assert.equal(body.error.code, "decision_gone");
    assert.match(body.error.message, /^this decision would be of 20\d\d-\d\d-\d\dT.*was not logged.*"explain":true$/);
  }
  assert.equal((await find("01ARZ3NDEKTSV4RRFFQ69G5FAV")).body.error.code, "decision_expired");
  for (const id of ["7ZZZZZZZZZTSV4RRFFQ69G5FAV", "ZZZZZZZZZZTSV4RRFFQ69G5FAV", "01ARZ3NDEKTSV4RRFFQ69G5FA", "01ARZ3NDEKTSV4RRFFQ69G5FAÜ"]) {
    const answer = await find(encodeURIComponent(id));
    assert.deepEqual([answer.status, answer.body.error.code], [404, "unknown_decision"], id);
  }
});

test("page 2 continues page 1, whatever happened in between", async (t) => {
  const shop = await serve(t, rules('ranking "mixed" { score = function(product) return product.price end, explore = "20%" }\n'));
  await load(shop, products(60));
  const first = await shop.post("/v1/rank", { ranking: "mixed", where: {}, limit: 20 });
  await shop.call("PATCH", "/v1/catalog/items/SKU-1", { price: 5000 });
  const seen = ids(first);
  for (const offset of [20, 40]) {
    const next = await shop.post("/v1/rank", { ranking: "mixed", where: {}, limit: 20, decision: first.body.decision, offset });
    assert.equal(next.body.decision, first.body.decision);
    seen.push(...ids(next));
  }
  assert.equal(new Set(seen).size, 60, "nothing twice, nothing missing");
  const explored = first.body.items.filter((item) => item.propensity < 1);
  assert.ok(explored.length >= 1 && explored.every((item) => item.propensity > 0), "exploration says its propensity");
  const logged = await until(async () => {
    const answer = await shop.get(`/v1/decisions/${first.body.decision}`);
    return answer.status === 200 && answer;
  });
  assert.equal(logged.body.decision, first.body.decision);
});

test("a rule that fails, loops or answers nonsense gives the fallback and says where", async (t) => {
  const shop = await serve(t, rules(`
ranking "raises" { score = function(product) if product.price > 12 then error("no") end return 1 end }
ranking "loops" { score = function(product) while product.price do end return 1 end }
ranking "nothing" { score = function(product) return nil end }
ranking "text" { score = function(product) return product.title end }
ranking "nan" { score = function(product) return 0 / 0 end }
ranking "deep" { score = function(product) local function f() return 1 + f() end return f() end }
ranking "memory" { score = function(product) local t = {} for i = 1, 1e9 do t[i] = ("x"):rep(1000) .. i end return #t end }
ranking "pattern" { score = function(product) return #string.gsub(("a"):rep(30000), ("a-"):rep(30) .. "b", "") end }
ranking "good" { score = function(product) return -product.price end }
`, { "scripts/rails/r.lua": 'rail "in stock" { only = function(product) return product.stock:above(0) end }\n' }));
  await load(shop, products(10, (i) => ({ stock: i ? 1 : 0 })));
  for (const name of ["raises", "loops", "text", "deep", "memory", "pattern"]) {
    const answer = await shop.post("/v1/rank", { ranking: name, where: {} });
    assert.equal(answer.status, 200, `${name}: ${answer.text}`);
    assert.match(answer.body.fallback ?? "", /scripts\/rankings\/a\.lua:\d+/, `${name}: ${answer.text}`);
    assert.equal(answer.body.total, 9, `${name}: rails hold in the fallback`);
    const good = await shop.post("/v1/rank", { ranking: "good", where: {} });
    assert.deepEqual([good.body.fallback, ids(good)[0]], [undefined, "SKU-2"], `after ${name}`);
  }
  for (const name of ["nothing", "nan"]) {
    const answer = await shop.post("/v1/rank", { ranking: name, where: {} });
    assert.equal(answer.status, 200);
    assert.equal(answer.body.items[0].score, null);
  }
});

test("rails fail closed", async (t) => {
  const shop = await serve(t, rules(byPrice, { "scripts/rails/r.lua": 'rail "broken" { hide = function(product) if product.price == 12 then error("x") end return false end }\n' }));
  await load(shop, products(5));
  const answer = await shop.post("/v1/rank", { ranking: "cheap", where: {} });
  assert.deepEqual(ids(answer), ["SKU-1", "SKU-2", "SKU-4", "SKU-5"]);
});
