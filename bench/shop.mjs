// SPDX-License-Identifier: Apache-2.0
//
// Makes the shop of the figures: 40,000 products, keys, the five-term rule, one rail; and the wrk scripts that ask it.
//   node bench/shop.mjs DIR
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const dir = process.argv[2], N = 40000;
let state = 12345;
const random = () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32);
for (const sub of ["scripts/rankings", "scripts/rails"]) mkdirSync(join(dir, sub), { recursive: true });
writeFileSync(join(dir, "shop.lua"), `shop "bench" { currency = "EUR", timezone = "UTC" }
keys { write = "wk_bench_key", secret = "sk_bench_key" }
`);
writeFileSync(join(dir, "scripts/rankings/bench.lua"), `ranking "bench" {
  score = function(product)
    return 0.40 * product.affinity + 0.25 * product.popularity + 0.15 * product.rating:or_else(3) / 5
         + 0.10 * product.margin - 0.10 * product.discount
  end,
}
`);
writeFileSync(join(dir, "scripts/rails/stock.lua"), 'rail "in stock only" { only = function(product) return product.stock:above(0) end }\n');
const lines = [];
for (let i = 0; i < N; i++) {
  const price = 5 + Math.floor(random() * 500);
  lines.push(JSON.stringify({
    id: `SKU-${i}`, title: `Product ${i}`, brand: `brand-${Math.floor(random() * 200)}`, category: `category-${i % 8}`, color: `color-${Math.floor(random() * 12)}`,
    price, cost: price * (0.3 + random() * 0.4), list_price: random() < 0.3 ? price * 1.2 : price, stock: random() < 0.1 ? 0 : Math.floor(random() * 50) + 1, rating: Math.floor(random() * 50) / 10,
  }));
}
writeFileSync(join(dir, "catalog.jsonl"), lines.join("\n") + "\n");
const auth = `Basic ${Buffer.from("wk_bench_key:").toString("base64")}`;
const script = (path, body, prepare = "") => `-- each request is another one
local seed = 42
local function random(n) seed = (seed * 1103515245 + 12345) % 2147483648; return seed % n end
local headers = { ["authorization"] = "${auth}", ["content-type"] = "application/json" }
${prepare}
request = function() return wrk.format("POST", "${path}", headers, ${body}) end
`;
const items = (n) => `
local pool, at = {}, 0
for r = 1, 200 do
  local ids = {}
  for i = 1, ${n} do ids[i] = '"SKU-' .. random(${N}) .. '"' end
  pool[r] = '","user_id":"u-' .. random(1000) .. '"},"ranking":"bench","limit":24,"items":[' .. table.concat(ids, ",") .. ']}'
end
local function body() at = at % #pool + 1; return '{"customer":{"anonymous_id":"v-' .. random(1000) .. pool[at] end`;
writeFileSync(join(dir, "rank100.lua"), script("/v1/rank", "body()", items(100)));
writeFileSync(join(dir, "rank1000.lua"), script("/v1/rank", "body()", items(1000)));
writeFileSync(join(dir, "where.lua"), script("/v1/rank", `'{"customer":{"user_id":"u-' .. random(1000) .. '"},"ranking":"bench","limit":24,"where":{"category":"category-' .. random(8) .. '"}}'`));
writeFileSync(join(dir, "decide.lua"), script("/v1/decide", `'{"customer":{"user_id":"u-' .. random(1000) .. '"},"ask":{"one":{"ranking":"bench","items":["SKU-' .. random(${N}) .. '"],"limit":1}}}'`));
const pad = "x".repeat(250);
writeFileSync(join(dir, "event.lua"), script("/v1/track",
  `'{"type":"track","anonymousId":"v-' .. random(5000) .. '","event":"Product Viewed","messageId":"' .. run .. "-" .. next_id() .. '","timestamp":"2026-11-26T10:00:00.000Z","properties":{"product_id":"SKU-' .. random(${N}) .. '","note":"${pad}"}}'`,
  "local run, n = tostring(os.time()) .. tostring({}):sub(8), 0\nlocal function next_id() n = n + 1; return n end"));
writeFileSync(join(dir, "batch.lua"), script("/v1/batch", "batch()",
  `local run, n = tostring(os.time()) .. tostring({}):sub(8), 0
local function batch()
  local out = {}
  for i = 1, 100 do
    n = n + 1
    out[i] = '{"type":"track","anonymousId":"v-' .. random(5000) .. '","event":"Product Viewed","messageId":"' .. run .. "-" .. n .. '","timestamp":"2026-11-26T10:00:00.000Z","properties":{"product_id":"SKU-' .. random(${N}) .. '","note":"${pad}"}}'
  end
  return '{"batch":[' .. table.concat(out, ",") .. ']}'
end`));
