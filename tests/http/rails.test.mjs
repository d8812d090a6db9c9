// SPDX-License-Identifier: Apache-2.0
//
// Rails before they serve: run over the whole catalog and what was asked lately; who fails or takes away much is refused until confirmed.
// And a rail that fails withholds, whichever way it is asked.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { products, program, serve, SHOP, until } from "./harness.mjs";

const RANKING = 'ranking "plain" { score = function(product) return product.price end }\n';
const files = { "shop.lua": SHOP, "scripts/a.lua": RANKING };
const hide = (name, words, more = "") => `rail "${name}" { ${more}hide = function(product, customer, page) return ${words} end }\n`;
const FAILING = 'rail "broken" { hide = function(product) if product.price == 12 then error("no price") end return false end }\n';

async function filled(t, count = 100) {
  const shop = await serve(t, files);
  await shop.call("PUT", "/v1/catalog/items", products(count));
  shop.publish = (text, confirm) => shop.post("/v1/scripts", { files: { "scripts/rails/r.lua": text }, ...(confirm ? { confirm } : {}) });
  shop.total = async (body = {}) => (await shop.post("/v1/rank", { ranking: "plain", where: {}, ...body })).body.total;
  return shop;
}
const serving = async (shop) => (await shop.get("/v1/scripts")).body.generation;

test("more than a fifth newly withheld is refused, and published when confirmed by name", async (t) => {
  const shop = await filled(t);
  const before = await serving(shop);
  assert.equal((await shop.publish(hide("few", "product.price < 30"))).status, 200, "a fifth and no more");
  const refused = await shop.publish(hide("few", "product.price < 30") + hide("many", "product.price < 52"));
  assert.equal(refused.status, 422, refused.text);
  assert.match(refused.body.error.message, /scripts\/rails\/r\.lua:2:1  rail "many" withholds 22 % of the products that were shown until now/);
  assert.equal(refused.body.error.findings.length, 1);
  assert.match(refused.body.error.findings[0].hint, /attune publish --confirm "many"/);
  assert.equal(await serving(shop), before + 1);
  assert.equal(await shop.total(), 80, "what served serves on");
  const several = await shop.publish(hide("few", "product.price < 30") + hide("one", "product.price < 45") + hide("other", "product.price > 99"));
  assert.deepEqual(several.body.error.findings.map((one) => /rail "(\w+)"/.exec(one.message)[1]), ["one", "other"], "together they take 25");
  const unknown = await shop.publish(hide("many", "product.price < 52"), ["manny"]);
  assert.equal(unknown.status, 400);
  assert.match(unknown.body.error.message, /there is no rail "manny" — did you mean "many"\?/);
  assert.equal((await shop.post("/v1/scripts", { files: {}, confirm: "many" })).status, 422);
  const confirmed = await shop.publish(hide("few", "product.price < 30") + hide("many", "product.price < 52"), ["many"]);
  assert.equal(confirmed.status, 200, confirmed.text);
  assert.match(confirmed.body.warnings[0].message, /rail "many" withholds 22 %/);
  assert.equal(await shop.total(), 58);
  assert.equal((await shop.publish(hide("another name", "product.price < 52"))).status, 200, "nothing new is withheld");
  const check = await shop.post("/v1/scripts/check", { files: { "scripts/rails/r.lua": hide("all", "true") } });
  assert.equal(check.status, 422);
  assert.equal((await shop.post(`/v1/generations/${before}/activate`, {})).status, 200);
  const back = await shop.post(`/v1/generations/${before + 2}/activate`, {});
  assert.equal(back.status, 200, "the way back is open");
  assert.ok(back.body.warnings.some((one) => /rail "many" withholds 42 %/.test(one.message)), back.text);
});

test("of a handful of products a fifth says nothing", async (t) => {
  const shop = await filled(t, 9);
  assert.equal((await shop.publish(hide("most", "product.price < 17"))).status, 200);
  assert.equal(await shop.total(), 2);
});

test("a rail that fails is refused, and fails closed once confirmed", async (t) => {
  const shop = await filled(t, 10);
  const refused = await shop.publish(FAILING);
  assert.equal(refused.status, 422, refused.text);
  assert.match(refused.body.error.message, /r\.lua:1:1  rail "broken" fails for 10 % of the products: scripts\/rails\/r\.lua:1: no price/);
  assert.equal((await shop.publish(FAILING, ["broken"])).status, 200);
  assert.equal((await shop.publish(FAILING + hide("none", "product.price > 999"))).status, 200, "that it fails is no news");
  const bury = 'rail "down" { bury = function(product) if product.price == 11 then error("x") end return product.price > 15 end }\n';
  assert.match((await shop.publish(FAILING + bury)).body.error.message, /rail "down" fails for 10 %/);
  const only = 'rail "kept" { only = function(product) if product.price == 13 then error("x") end return true end }\n';
  assert.equal((await shop.publish(FAILING + bury + only, ["down", "kept"])).status, 200);
  const list = { ranking: "plain", where: {} }, sorted = { ...list, sort: "price" };
  const ids = (items) => items.map((item) => item.id).join(" ");
  const left = "SKU-6 SKU-5 SKU-2 SKU-1 SKU-10 SKU-9 SKU-8 SKU-7";
  assert.equal(ids((await shop.post("/v1/rank", list)).body.items), left, "hide and only withhold theirs, bury does nothing to its");
  const both = (await shop.post("/v1/decide", { ask: { list, sorted } })).body.answers;
  assert.equal(ids(both.list.items), left);
  assert.equal(ids(both.sorted.items), "SKU-1 SKU-2 SKU-5 SKU-6 SKU-7 SKU-8 SKU-9 SKU-10", "under the shopper's sort, too");
  const some = await shop.post("/v1/rank", { ranking: "plain", items: ["SKU-3", "SKU-4", "SKU-1"], explain: true });
  assert.equal(ids(some.body.items), "SKU-1", "of items named, too");
  const why = await shop.get(`/v1/decisions/${some.body.decision}?why_not=SKU-3`);
  assert.equal(why.body.not[0].rail, "broken");
  const next = await shop.post("/v1/rank", { ...list, limit: 4 });
  const page = await shop.post("/v1/rank", { ...list, limit: 9, offset: 4, decision: next.body.decision });
  assert.equal(ids([...next.body.items, ...page.body.items]), left, "on the second page, too");
  assert.ok(/attune_rail_failures_total [1-9]/.test((await shop.get("/metrics")).text));
});

test("places, days and people a rail is for are looked at", async (t) => {
  const shop = await filled(t);
  assert.match((await shop.publish(hide("sale", "product.price > 50", 'on = "sale", '))).body.error.message, /rail "sale" withholds 59 % .*, on "sale"/);
  assert.match((await shop.publish(hide("next year", "true", `from = "${new Date().getFullYear() + 1}-02-01", `))).body.error.message, /rail "next year" withholds 100 %/);
  assert.equal((await shop.publish(hide("last year", "true", 'from = "2020-01-01", to = "2020-12-31", '))).status, 200, "it never applies again");
  const forSofas = hide("sofas", 'page.category == "sofas"');
  assert.equal((await shop.publish(forSofas)).status, 200, "nobody asked for those yet");
  await shop.publish(RANKING.replace("plain", "other"));
  for (let i = 0; i < 10; i++)
    await shop.post("/v1/decide", { context: { page: "collection", category: i % 2 ? "sofas" : "lamps" }, ask: { list: { ranking: "plain", where: {} } } });
  assert.match((await shop.publish(forSofas)).body.error.message, /rail "sofas" withholds [345]\d?(\.\d+)? % .*, to recent visitors/);
  assert.match((await shop.publish(hide("endless", "(function() while true do end end)()"))).body.error.message, /rail "endless" fails for .*(took|takes) longer than 20 ms/);
});

test("a save is refused likewise, and published by hand", async (t) => {
  const shop = await filled(t);
  const run = (...args) => spawnSync(program, ["publish", "--shop", shop.dir, ...args], { encoding: "utf8" });
  writeFileSync(join(shop.dir, "scripts/r.lua"), hide("many", "product.price < 60"));
  await until(() => /rail "many" withholds 50 %.*attune publish --confirm "many"/.test(shop.log));
  assert.equal((await shop.get("/v1/scripts")).body.scripts, "stale");
  assert.equal(await shop.total(), 100);
  const refused = run();
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /rail "many" withholds 50 %/);
  const done = run("--confirm", "many");
  assert.equal(done.status, 0, done.stderr);
  assert.match(done.stdout, /generation \d+ serves/);
  assert.equal(await shop.total(), 50);
  writeFileSync(join(shop.dir, "scripts/b.lua"), RANKING.replace("plain", "later"));
  await until(async () => (await shop.post("/v1/rank", { ranking: "later", where: {} })).status === 200);
  rmSync(join(shop.dir, "scripts/r.lua"));
  await until(async () => (await shop.total()) === 100);
});

test("a slow rail over a large catalog keeps nobody waiting, and ends", async (t) => {
  const shop = await serve(t, files);
  for (let i = 0; i < 6; i++)
    await shop.call("PUT", "/v1/catalog/items", products(5000).map((one, n) => ({ ...one, id: `P-${i * 5000 + n}` })));
  const slow = (name, turns) => `rail "${name}" { hide = function(product)
    local n, i = 0, 0
    while product.price > 0 and i < ${turns} do n, i = n + i % 7, i + 1 end
    return n < 0
  end }\n`;
  for (let i = 0; i < 20; i++) await shop.post("/v1/rank", { ranking: "plain", items: ["P-1"] });
  let isDone = false, longest = 0, asked = 0;
  const begin = performance.now();
  const publishing = shop.post("/v1/scripts", { files: { "scripts/r.lua": slow("slow", 30) + slow("slower", 45) } }).then((answer) => {
    isDone = true;
    return answer;
  });
  while (!isDone) {
    const from = performance.now();
    await shop.post("/v1/rank", { ranking: "plain", items: ["P-1", "P-2"] });
    longest = Math.max(longest, performance.now() - from);
    asked++;
  }
  const took = performance.now() - begin;
  console.log(`published in ${took.toFixed(0)} ms, ${asked} answers meanwhile, the longest took ${longest.toFixed(1)} ms`);
  assert.equal((await publishing).status, 200, (await publishing).text);
  assert.ok(took < 15000);
  assert.ok(asked > 10, "the front workers answer meanwhile");
});
