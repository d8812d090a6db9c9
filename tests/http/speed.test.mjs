// SPDX-License-Identifier: Apache-2.0
//
// Compiled rules in the program: what check --speed says of them, and both ways compared while the shop serves.
import assert from "node:assert/strict";
import { test } from "node:test";
import { basicShop, folder, products, run, serve } from "./harness.mjs";

const RULES = `ranking "collection" {
  score = function(product, customer)
    local score = product.popularity
    if product.stock >= 5 and not customer.has_ordered then score = score + 0.2 end
    if product.price > 15 then return score + product.price / 100 end
    return score
  end,
}
`;

test("check --speed says each rule's way, cost, and what makes it slow", (t) => {
  const dir = folder(t, {
    ...basicShop(),
    "scripts/rankings/collection.lua": RULES,
    "scripts/rankings/slow.lua": 'ranking "slow" {\n  score = function(product)\n    local tags = product.tags\n    return #tags\n  end,\n}\n',
  });
  const said = run(["check", dir, "--speed"]);
  assert.equal(said.code, 0, said.out + said.err);
  assert.match(said.out, /ranking {2}collection +scripts\/rankings\/collection\.lua:2 {2}compiled {2}[\d.]+ µs for 1,000 products/);
  assert.match(said.out, /rail .* all at once {2}[\d.]+ µs for 1,000 products/);
  assert.match(said.out, /ranking {2}slow .* product by product {2}[\d.]+ µs for 1,000 products\n {2}line 4, "#tags": ask :contains/);
  assert.doesNotMatch(run(["check", dir]).out, /µs/);
});

test("one decision in a thousand runs both ways, and they agree", async (t) => {
  const shop = await serve(t, { ...basicShop(), "scripts/rankings/collection.lua": RULES }, { args: ["--workers", "1"] });
  const put = await shop.call("PUT", "/v1/catalog/items", products(40, (i) => ({ stock: i % 9 + 1 })));
  assert.equal(put.status, 200);
  const answer = await shop.post("/v1/rank", { ranking: "collection", where: {}, limit: 40, customer: { anonymous_id: "a" } });
  assert.equal(answer.body.total, 40);
  for (let i = 0; i < 150; i++) {
    const again = await shop.post("/v1/rank", { ranking: "collection", where: {}, limit: 40, customer: { anonymous_id: "a" } });
    assert.deepEqual(again.body.items, answer.body.items, "whichever way, the same list");
  }
  const text = (await shop.get("/metrics")).text;
  assert.match(text, /^attune_rules_checked_total [1-9]/m);
  assert.match(text, /^attune_rules_demoted_total 0$/m);
});
