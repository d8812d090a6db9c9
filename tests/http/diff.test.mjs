// SPDX-License-Identifier: Apache-2.0
//
// What a change touches, in words: over HTTP, in the terminal, from a folder, from files, between generations.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { bearer, folder, KEYS, run, serve, SHOP, until } from "./harness.mjs";

const ranking = `-- The order of every collection page.
local prices = require "lib.prices"
local weight = 0.4

ranking "collection" {
  score = function(product)
    local fit = weight * product.affinity
    return fit + prices.of(product)
  end,
  diversify = { by = "brand", at_most = 2, within = 8 },
}
`;
const prices = "local prices = {}\nfunction prices.of(product) return product.price / 100 end\nreturn prices\n";
const rails = 'rail "in stock only" { only = function(product) return product.stock:above(0) end }\nrail "cheap last" { bury = function(product) return product.price:below(5) end }\n';
const segment = 'segment "buyers" { when = function(customer) return customer.orders.count >= 1 end }\n';
const files = { "scripts/lib/prices.lua": prices, "scripts/collection.lua": ranking, "scripts/rails.lua": rails, "scripts/segments.lua": segment };
const secret = bearer("sk_first_1");
const words = (answer) => answer.body.changes.map((one) => one.words);
const changed = (text, ...pairs) => pairs.reduce((done, [from, to]) => (assert.ok(done.includes(from), from), done.replace(from, to)), text);

test("what decides nothing is no change; what does is told by field and line", async (t) => {
  const shop = await serve(t, { "shop.lua": KEYS, ...files });
  const diff = async (changes, more = {}) => shop.post("/v1/scripts/diff", { files: changes, ...more }, secret);
  assert.deepEqual((await shop.post("/v1/scripts/diff", {}, secret)).body, { from: 1, to: null, changes: [] });
  const cases = [
    [{ "scripts/collection.lua": changed(ranking, ["weight * product", "weight  *  product"], ["-- The order of every collection page.\n", "\n-- Of all.\n\n"], ["within = 8 }", "within = 8, }"], ['"brand"', "'brand'"]) }, []],
    [{ "scripts/collection.lua": changed(ranking, ["at_most = 2", "at_most = 3"], ["    return fit + ", "    return 2 * fit + "]) },
      ['ranking "collection" changed: score (line 8), diversify.at_most 2 → 3 (scripts/collection.lua:5)']],
    [{ "scripts/collection.lua": changed(ranking, ["  diversify = { by", "  explore = \"5%\",\n  first = function(product) return product.price:below(9) end,\n  diversify = { by"], [", within = 8", ""]) },
      ['ranking "collection" changed: explore = "5%" added, first added, diversify.within removed (scripts/collection.lua:5)']],
    [{ "scripts/collection.lua": changed(ranking, ["weight = 0.4", "weight = 0.5"]) }, ['ranking "collection" changed: through weight (scripts/collection.lua:5)']],
    [{ "scripts/lib/prices.lua": changed(prices, ["/ 100", "/ 200"]) },
      ['ranking "collection" changed: through scripts/lib/prices.lua (scripts/collection.lua:5)', "module scripts/lib/prices.lua changed"]],
    [{ "scripts/rails.lua": changed(rails, ["product.price:below(5)", "product.price:below(6)"], ["above(0)", "at_least(3)"]), "scripts/segments.lua": null, "scripts/z.lua": 'test "t" { function() end }\n' },
      ['rail "cheap last" changed: bury (line 2) (scripts/rails.lua:2)', 'rail "in stock only" changed: only (line 1) (scripts/rails.lua:1)', 'segment "buyers" removed (scripts/segments.lua:1)', 'test "t" added (scripts/z.lua:1)']],
    [{ "scripts/segments.lua": null, "scripts/people/buyers.lua": `-- moved\n${segment}` }, ['segment "buyers" moved from scripts/segments.lua (scripts/people/buyers.lua:2)']],
    [{ "scripts/segments.lua": `${segment}local unused = 1\n` }, ["script scripts/segments.lua changed: nothing that is declared"]],
    [{ "scripts/many.lua": 'for _, name in ipairs { "a", "b" } do ranking(name) { score = function(product) return 1 end } end\n' }, ['ranking "name" added (scripts/many.lua:1)']],
    [{ "scripts/rails.lua": 'rail "in stock only" { only = function(product) return product.stock:above(1 end }\n' }, /^rail "cheap last" removed .*\nrail "in stock only" changed: only \(line 1\)/],
  ];
  for (const [change, expected] of cases) {
    const answer = await diff(change);
    assert.equal(answer.status, 200, answer.text);
    if (expected instanceof RegExp) assert.match(words(answer).join("\n"), expected);
    else assert.deepEqual(words(answer), expected);
  }
  const one = (await diff({ "scripts/collection.lua": changed(ranking, ["at_most = 2", "at_most = 3"]) })).body.changes[0];
  assert.deepEqual(one, { noun: "ranking", name: "collection", did: "changed", script: "scripts/collection.lua", line: 5, fields: [{ field: "diversify.at_most", did: "changed", was: "2", now: "3", lines: [10] }], through: [],
    words: 'ranking "collection" changed: diversify.at_most 2 → 3 (scripts/collection.lua:5)' });
  assert.equal((await shop.get("/v1/generations", secret)).body.generations.length, 1, "nothing is published");
  for (const [body, field] of [[{ files: 7 }, "files"], [{ from: "x" }, "from"], [{ to: 0 }, "to"], [{ files: {}, to: 1 }, "files"], [{ settings: 7 }, "settings"], [{ complete: 7 }, "complete"]]) {
    const answer = await shop.post("/v1/scripts/diff", body, secret);
    assert.deepEqual([answer.status, answer.body.error.field], [422, field], answer.text);
  }
  assert.equal((await shop.post("/v1/scripts/diff", { from: 9 }, secret)).body.error.code, "unknown_generation");
  assert.equal((await shop.post("/v1/scripts/diff", {}, bearer("wk_first_1"))).status, 403);
});

test("in the terminal: a folder against what serves, one generation against another, settings apart", async (t) => {
  const shop = await serve(t, { "shop.lua": `${SHOP}budgets { ranking = "20ms" }\n`, ...files });
  const next = changed(ranking, ["at_most = 2", "at_most = 3"]);
  const copy = folder(t, { "shop.lua": `${SHOP}budgets { ranking = "30ms" }\nattributes { secret = "number" }\n`, ...files, "scripts/collection.lua": next });
  const same = run(["diff", shop.dir]);
  assert.deepEqual([same.code, same.out], [0, `${shop.dir.slice(0, 60)} declares what generation 1 does\n`], same.err);
  const other = run(["diff", copy, "--shop", shop.dir]);
  assert.deepEqual(other.out.split("\n").slice(1), [
    '  ranking "collection" changed: diversify.at_most 2 → 3 (scripts/collection.lua:5)',
    "settings, which are read when the shop is served anew:",
    `  setting attributes added (shop.lua:${SHOP.split("\n").length + 1})`,
    `  setting budgets changed: ranking (shop.lua:${SHOP.split("\n").length})`, ""]);
  assert.match(other.out, /, compared with generation 1:\n/);
  writeFileSync(join(shop.dir, "scripts/collection.lua"), next);
  await until(async () => (await shop.get("/ready")).body.generation === 2);
  const between = run(["diff", "--shop", shop.dir, "--from", "2", "--to", "1"]);
  assert.equal(between.out, 'generation 1, compared with generation 2:\n  ranking "collection" changed: diversify.at_most 3 → 2 (scripts/collection.lua:5)\n', between.err);
  assert.equal(JSON.parse(run(["diff", "--shop", shop.dir, "--from", "1", "--json"]).out).changes.length, 1);
  assert.equal(run(["diff", "--shop", shop.dir, "--to", "99"]).code, 1);
  assert.match(run(["diff", "--shop", shop.dir, "--to", "x"]).err, /--to is the number of a generation/);
  assert.equal(run(["diff", shop.dir, "--to", "1"]).code, 2);
  await shop.stop();
  const alone = run(["diff", shop.dir]);
  assert.deepEqual([alone.code, /nobody serves .*, so nothing is live to compare with/.test(alone.err)], [3, true], alone.err);
});
