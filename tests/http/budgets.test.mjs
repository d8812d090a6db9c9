// SPDX-License-Identifier: Apache-2.0
//
// Budgets of shop.lua: each noun has its own, what is slow is told once with its line, what is used is in the metrics.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { folder, products, program, serve, SHOP } from "./harness.mjs";

const RULES = `ranking "plain" { score = function(product) return product.price end }
ranking "loops" {
  score = function(product)
    local n = 0
    while product.price > 0 do n = n + 1 end
    return n
  end,
}
rail "dear ones" { only = function(product) if product.price > 14 then return true end return false end }
rail "loops on sale" { on = "sale", hide = function(product) while true do end end }
`;
const figure = (text, name) => Number(new RegExp(`^${name.replace(/[{}"]/g, "\\$&")} (\\S+)$`, "m").exec(text)?.[1]);

test("each noun has its own budget, used and shown", async (t) => {
  const shop = await serve(t, { "shop.lua": `${SHOP}budgets { ranking = "60ms", rail = "30ms", memory = "16MB" }\n`, "scripts/a.lua": RULES });
  await shop.call("PUT", "/v1/catalog/items", products(10));
  for (let i = 0; i < 5; i++) {
    const answer = await shop.post("/v1/decide", {
      ask: { slow: { ranking: "loops", where: {} }, after: { ranking: "plain", where: {} }, again: { ranking: "loops", where: {} } },
    });
    const { slow, after } = answer.body.answers;
    assert.match(slow.fallback, /scripts\/a\.lua:5  "loops" took longer than 60 ms and was stopped/);
    assert.deepEqual(slow.items.map((item) => item.id), ["SKU-6", "SKU-7", "SKU-8", "SKU-9", "SKU-10"], "the rail held");
    assert.equal(after.total, 5, "a ranking that overran takes nothing from the rails after it");
  }
  const sale = await shop.post("/v1/decide", { context: { page: "sale" }, ask: { list: { ranking: "plain", where: {} } } });
  assert.equal(sale.body.answers.list.total, 0, "a rail that overruns withholds");
  const told = shop.log.split("\n").filter((line) => /budgets\./.test(line));
  assert.equal(told.length, 2, told.join("\n"));
  assert.match(told[0], /scripts\/a\.lua:3  ranking "loops" took [\d.]+ ms of the 60 ms that budgets\.ranking allows, most of it in line 5: while product\.price > 0/);
  assert.match(told[1], /scripts\/a\.lua:10  rail "loops on sale" took [\d.]+ ms of the 30 ms that budgets\.rail allows, most of it in line 10:/);
  const text = (await shop.get("/metrics")).text;
  assert.equal(figure(text, 'attune_script_budget_seconds{noun="ranking"}'), 0.06);
  assert.equal(figure(text, 'attune_script_budget_seconds{noun="load"}'), 0.5);
  assert.equal(figure(text, 'attune_script_seconds_count{noun="ranking"}'), 5);
  assert.ok(figure(text, 'attune_script_seconds_sum{noun="ranking"}') >= 0.3);
  assert.equal(figure(text, 'attune_script_seconds_count{noun="rail"}'), 6);
  assert.ok(figure(text, 'attune_script_seconds_count{noun="load"}') >= 2);
  assert.equal(figure(text, 'attune_scripts_slow_total{noun="ranking"}'), 5);
  assert.ok(figure(text, "attune_script_state_bytes") > 20000);
});

test("what a budget cannot be is said with the way to write it", (t) => {
  for (const [budgets, said] of [
    ['ranking = 20', /shop\.lua:2:\d+  budgets\.ranking = 20: 20 what\? write "20ms"/],
    ['segment = "7"', /budgets\.segment: 7 what\? write "100ms"/],
    ['memory = 32', /budgets\.memory = 32: 32 what\? write "32MB"/],
    ['rail = "2m"', /budgets\.rail: "2m" is not a time of this kind: write "20ms" or "0\.5s"/],
    ['rail = "2s"', /budgets\.rail is "1ms" to "500ms"; it says "2s"/],
    ['load = "1ms"', /budgets\.load is "100ms" to "10000ms"/],
    ['memory = "1MB"', /budgets\.memory is "8MB" to "1024MB"/],
    ['rankin = "20ms"', /budgets has no field "rankin" — did you mean "ranking"\?/],
    ['ranking = true', /budgets\.ranking is written in quotes, like "20ms"/],
  ]) {
    const dir = folder(t, { "shop.lua": `${SHOP}budgets { ${budgets} }\n`, "scripts/a.lua": RULES });
    const run = spawnSync(program, ["check", dir], { encoding: "utf8" });
    assert.notEqual(run.status, 0, budgets);
    assert.match(run.stdout + run.stderr, said);
  }
});
