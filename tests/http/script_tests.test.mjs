// SPDX-License-Identifier: Apache-2.0
//
// Tests beside the scripts, with the real program: attune test and attune check say what failed and where; a save or a
// publish with a red test, or with tests that take too long, keeps what serves.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { folder, products, program, serve, SHOP, until } from "./harness.mjs";

const path = "scripts/a.lua";
const ranking = (sign) => `ranking "all" { score = function(product) return ${sign}product.price end }\n`;
const expectation = `test "the dearest comes first" {
  catalog = "fixtures/two.jsonl",
  run = function(world)
    expect(world:rank("all")):is { "dear", "cheap" }
  end,
}
`;
const two = '{"id":"cheap","price":1}\n{"id":"dear","price":9}\n';
const files = (sign = "") => ({ "shop.lua": SHOP, [path]: ranking(sign) + expectation, "fixtures/two.jsonl": two });
const run = (...args) => {
  const ran = spawnSync(program, args, { encoding: "utf8" });
  return { code: ran.status, out: ran.stdout, err: ran.stderr };
};

test("attune test says each, and of a failure expected, got and the line", (t) => {
  const good = run("test", folder(t, files()));
  assert.equal(good.code, 0, good.err);
  assert.match(good.out, /^ok +\d+\.\d ms {2}scripts\/a\.lua:2 {2}the dearest comes first\n1 passed, 0 failed\n$/);
  const dir = folder(t, files("-"));
  const bad = run("test", dir);
  assert.equal(bad.code, 1);
  assert.match(bad.out, /^FAILED .*\nscripts\/a\.lua:5:5 {2}test "the dearest comes first": expected { "dear", "cheap" }, got { cheap, dear }\n {8}expect\(world.*\n {8}\^+\n0 passed, 1 failed\n$/);
  const json = JSON.parse(run("test", dir, "--json", "--coverage").out);
  assert.deepEqual([json.passed, json.failed, json.tests[0].failure.line, json.tests[0].failure.got], [0, 1, 5, "{ cheap, dear }"]);
  assert.deepEqual(json.uncovered, []);
  assert.equal(run("test", dir, "--filter", "nothing has this").code, 1);
  const check = run("check", dir);
  assert.equal(check.code, 1);
  assert.match(check.out, /scripts\/a\.lua:5:5 {2}test "the dearest comes first": expected/);
});

test("what a new shop is given passes", (t) => {
  const dir = join(folder(t, {}), "shop");
  assert.equal(run("new", dir).code, 0);
  const ran = run("test", dir, "--coverage");
  assert.equal(ran.code, 0, ran.out + ran.err);
  assert.match(ran.out, /\n(\d+) of \1 functions and ways through them ran\n[1-9]\d* passed, 0 failed\n$/);
});

test("whatever is changed in what a new shop is given, one of its tests says so", (t) => {
  const dir = join(folder(t, {}), "shop");
  assert.equal(run("new", dir).code, 0);
  const changes = {
    "rankings/collection.lua": [["0.50 * product.affinity", "0"], ["0.20 * product.popularity", "0"], ["0.15 *", "0 *"], ["0.10)", "0)"], ["at_most = 2", "at_most = 8"]],
    "rankings/for_you.lua": [["0.70 *", "0 *"], ["0.20 * product.popularity", "0"], ["0.20 * min", "0 * min"], ["product.brand:one_of(said.brand)", "false"], ["product.category:one_of(said.category)", "false"]],
    "rails/stock.lua": [["at_most(0)", "at_most(-1)"], ["at_most(0)", "at_most(12)"]],
    "rails/clearance.lua": [["product.tags:contains", "product.brand:is"], ['on   = "collection",', ""]],
    "segments/customers.lua": [["days(30)", "days(31)"], ["days(90)", "days(80)"], ["<= 1.5", "<= 1.6"], ["> 1.5", "> 1.6"], [">= 5", ">= 6"], [">= 1000", "> 1000"], [">= 1000", ">= 999"]],
  };
  for (const [file, parts] of Object.entries(changes)) {
    const path = join(dir, "scripts", file), sound = readFileSync(path, "utf8");
    for (const [part, instead] of parts) {
      assert.ok(sound.includes(part), `${file} has ${part}`);
      writeFileSync(path, sound.replace(part, instead));
      const ran = run("test", dir);
      assert.ok(ran.code === 1 && /^FAILED/m.test(ran.out), `${file}: ${part}\n${ran.out}${ran.err}`);
    }
    writeFileSync(path, sound);
  }
});

test("a red test keeps what serves: saved, sent and checked over HTTP", async (t) => {
  const shop = await serve(t, files());
  await shop.call("PUT", "/v1/catalog/items", products(3));
  const first = async () => (await shop.post("/v1/rank", { ranking: "all", where: {}, limit: 1 })).body;
  const before = await first();
  assert.equal(before.generation, 1);

  writeFileSync(join(shop.dir, path), ranking("-") + expectation);
  await until(async () => (await shop.get("/ready")).body.scripts === "stale", { within: 8000 });
  assert.match(shop.log, /scripts\/a\.lua:5:5 {2}test "the dearest comes first": expected/);
  assert.deepEqual(await first().then((answer) => [answer.generation, answer.items[0].id]), [1, before.items[0].id]);

  const sent = { [path]: ranking("-2 * ") + expectation };
  for (const where of ["/v1/scripts", "/v1/scripts/check"]) {
    const refused = await shop.post(where, { files: sent });
    assert.equal(refused.status, 422, refused.text);
    const [finding] = refused.body.error.findings;
    assert.deepEqual([finding.code, finding.path, finding.line, finding.column], ["test_failed", path, 5, 5]);
    assert.match(finding.message, /got { cheap, dear }/);
  }
  assert.equal((await first()).generation, 1);
  assert.equal((await shop.post("/v1/scripts", { files: { [path]: ranking("2 * ") + expectation } })).status, 200);
  assert.equal((await first()).generation, 2);
});

test("tests that take longer than a publish gives them are refused by name", async (t) => {
  const shop = await serve(t, files());
  const slow = `test "slow" { run = function() for i = 1, 1e9 do end expect(1):is(1) end }\n`;
  const refused = await shop.post("/v1/scripts", { files: { "scripts/slow.lua": slow } });
  assert.equal(refused.status, 422, refused.text);
  assert.match(JSON.stringify(refused.body.error.findings), /test \\"slow\\"/);
  const began = Date.now();
  assert.equal((await shop.get("/ready")).status, 200);
  assert.ok(Date.now() - began < 2000);
});

test("rolling back asks no test: it served before", async (t) => {
  const shop = await serve(t, files());
  const open = { [path]: ranking("-"), "scripts/b.lua": null };
  assert.equal((await shop.post("/v1/scripts", { files: open })).status, 200);
  assert.equal((await shop.post("/v1/scripts", { files: { [path]: ranking("") + expectation } })).status, 200);
  writeFileSync(join(shop.dir, "fixtures/two.jsonl"), two.replace('"price":9', '"price":0'));
  const red = await shop.post("/v1/scripts/check", { files: {} });
  assert.equal(red.status, 422, red.text);
  const back = await shop.post("/v1/generations/1/activate", {});
  assert.equal(back.status, 200, back.text);
});

test("a world answers what the shop answers after the same events", async (t) => {
  const brands = ["Acme", "Birch", "Cedar", "Dorn"], colours = ["red", "green", "blue"];
  const items = Array.from({ length: 40 }, (_, i) => ({
    id: `P${i}`, price: 10 + ((i * 7) % 31), stock: i % 6, brand: brands[i % 4], colour: colours[i % 3], tags: i % 5 ? [] : ["sale"],
  }));
  const looked = Array.from({ length: 25 }, (_, i) => ({ who: i % 3 ? "ann" : "ben", product: `P${(i * i + 3) % 40}` }));
  const rules = `ranking "taste" {
    score = function(product, customer, page)
      if customer.session.intent == "buy" then return product.price end
      return product.affinity + product.price / 1000 - product.bought
    end,
    diversify = { by = "brand", at_most = 2, within = 5 },
  }
  rail "stock" { only = function(product) return product.stock:above(0) end }
  rail "sale last" { on = "collection", bury = function(product) return product.tags:contains "sale" end }\n`;
  const shop = await serve(t, { "shop.lua": SHOP, [path]: rules, "fixtures/catalog.jsonl": items.map((one) => JSON.stringify(one)).join("\n") });
  assert.equal((await shop.call("PUT", "/v1/catalog/items", items)).status, 200);
  for (const { who, product } of looked)
    assert.equal((await shop.post("/v1/track", { userId: who, event: "Product Viewed", properties: { product_id: product } })).status, 200);
  const asked = async (who, page) => {
    const answer = await shop.post("/v1/rank", { customer: { user_id: who }, ranking: "taste", where: { price: { at_least: 12 } }, limit: 30, context: { page } });
    return answer.body.items.map((item) => item.id);
  };
  await until(async () => new Set([...await asked("ann", ""), "x"]).size > 1);
  await new Promise((done) => setTimeout(done, 1500)); // everyone's tastes are taken over once a second
  const lists = [];
  for (const who of ["ann", "ben"]) for (const page of ["collection", "home"]) lists.push({ who, page, ids: await asked(who, page) });
  assert.notDeepEqual(lists[0].ids, lists[2].ids, "they have tastes of their own");
  const lua = `test "as in the shop" { run = function(world)
${looked.map(({ who, product }) => `world:event("product_viewed", { product_id = "${product}", user_id = "${who}" })`).join("\n")}
${lists.map(({ who, page, ids }) => `expect(world:rank("taste", { customer = { user_id = "${who}" }, page = "${page}", where = { price = { at_least = 12 } }, limit = 30 })):is { ${ids.map((id) => `"${id}"`).join(", ")} }`).join("\n")}
end }`;
  writeFileSync(join(shop.dir, "scripts/b.lua"), lua);
  const ran = run("test", shop.dir);
  assert.equal(ran.code, 0, ran.out);
});
