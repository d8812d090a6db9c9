// SPDX-License-Identifier: Apache-2.0
//
// Makes the shop of the figures: 40,000 products, keys, the five-term rule, one rail; the requests that bench/load.c replays, each
// another one; for the ranked lists once more in the form that the peers of PEERS read (NAME.peer).
//   node bench/shop.mjs DIR
//
// Color and category of a product follow from its brand, so that a person's affinity for a product is one look-up by brand for the
// peers: the same numbers, and the cheapest way for them to hold these.
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";

const dir = process.argv[2], N = 40000, USERS = 1000, BRANDS = 200;
let state = 12345;
const random = () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32);
const below = (n) => Math.floor(random() * n);
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
  const price = 5 + below(500), category = i % 8, brand = category + 8 * below(BRANDS / 8);
  lines.push(JSON.stringify({
    id: `SKU-${i}`, title: `Product ${i}`, brand: `brand-${brand}`, category: `category-${category}`, color: `color-${brand % 12}`,
    price, cost: price * (0.3 + random() * 0.4), list_price: random() < 0.3 ? price * 1.2 : price, stock: random() < 0.1 ? 0 : below(50) + 1, rating: below(50) / 10,
  }));
}
writeFileSync(join(dir, "catalog.jsonl"), lines.join("\n") + "\n");

const auth = `Authorization: Basic ${Buffer.from("wk_bench_key:").toString("base64")}\r\n`;
function write(name, count, path, make, keys = auth) {
  const file = openSync(join(dir, name), "w");
  for (let i = 0; i < count; i++) {
    const body = make();
    writeSync(file, `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${keys}Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  }
  closeSync(file);
}
for (const [count, many] of [[100, 20000], [1000, 4000]]) {
  const asks = Array.from({ length: many }, () => {
    const ids = new Set();
    while (ids.size < count) ids.add(`SKU-${below(N)}`);
    return { user: `u-${below(USERS)}`, ids: [...ids] };
  });
  let next = 0;
  write(`rank${count}`, many, "/v1/rank", () => {
    const ask = asks[next++];
    return JSON.stringify({ customer: { user_id: ask.user }, ranking: "bench", limit: 24, items: ask.ids });
  });
  next = 0;
  write(`rank${count}.peer`, many, "/top", () => {
    const ask = asks[next++];
    return JSON.stringify({ user: ask.user, items: ask.ids });
  }, "");
}
write("where", 8000, "/v1/rank", () => JSON.stringify({ customer: { user_id: `u-${below(USERS)}` }, ranking: "bench", limit: 24, where: { category: `category-${below(8)}` } }));
write("decide", 50000, "/v1/decide", () => JSON.stringify({ customer: { user_id: `u-${below(USERS)}` }, ask: { one: { ranking: "bench", items: [`SKU-${below(N)}`], limit: 1 } } }));
for (const path of ["/plain", "/a1"]) writeFileSync(join(dir, path.slice(1)), `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n`);

// Events of 500 bytes; 16 "@" are a number and 8 "#" a person that the load fills in.
const event = (type, padded, back_ms = 0) => {
  const one = { ...type, anonymousId: "v-########", event: "Product Viewed", messageId: "bench-@@@@@@@@@@@@@@@@", timestamp: new Date(Date.now() - back_ms).toISOString(), properties: { product_id: `SKU-${below(N)}`, note: "" } };
  one.properties.note = "x".repeat(Math.max(0, padded - JSON.stringify(one).length));
  return JSON.stringify(one);
};
write("event", 20000, "/v1/track", () => event({}, 500));
write("batch", 400, "/v1/batch", () => `{"batch":[${Array.from({ length: 100 }, () => event({ type: "track" }, 500)).join(",")}]}`);
// Lists for anybody, a person that the load fills in.
write("anybody", 8000, "/v1/rank", () => JSON.stringify({ customer: { anonymous_id: "v-########" }, ranking: "bench", limit: 24, items: Array.from({ length: 100 }, () => `SKU-${below(N)}`) }));
// What lies behind: events of PAST_BYTES over the last thirty days, in batches of 250.
const past_bytes = Number(process.env.PAST_BYTES ?? 500);
write("past", 400, "/v1/import", () => `{"batch":[${Array.from({ length: 250 }, () => event({ type: "track" }, past_bytes, below(30 * 86400) * 1000)).join(",")}]}`);
