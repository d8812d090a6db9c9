// SPDX-License-Identifier: Apache-2.0
//
// Both sides compute from the same numbers, and answer the same ids.
//   node bench/same.mjs dump URL DIR        asks attune (explain) for every product's features and every person's affinity for every
//                                           brand, and writes them to DIR/src for bench/peer.lua
//   node bench/same.mjs compare URL DIR PEER…  sends 200 lists of 100 and of 1,000 to attune and to each peer's URL; ends with 1
//                                           at the first answer whose ids differ
// Affinity changes with time: both commands ask as of the moment written to DIR/src/at.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [what, url, dir, ...peers] = process.argv.slice(2), src = join(dir, "src");
const json = { "content-type": "application/json" }, secret = { ...json, authorization: `Bearer sk_bench_key` };
const products = readFileSync(join(dir, "catalog.jsonl"), "utf8").trim().split("\n").map((line) => JSON.parse(line));

async function post(to, headers, body) {
  const answer = await fetch(to, { method: "POST", headers, body: JSON.stringify(body) }), text = await answer.text();
  if (!answer.ok) throw new Error(`${to}: ${answer.status} ${text}`);
  const said = JSON.parse(text);
  if (said.fallback) throw new Error(`${to}: fallback: ${said.fallback}`);
  return said;
}
async function explain(user, items, at) {
  const answer = await post(`${url}/v1/rank`, secret, { customer: { user_id: user }, ranking: "bench", limit: items.length, items, explain: true, dry_run: true, at });
  return answer.items;
}
async function dump() {
  const at = new Date().toISOString(), lines = [], stocked = products.filter((p) => p.stock > 0), of = new Map(products.map((p) => [p.id, p]));
  for (let i = 0; i < stocked.length; i += 1000)
    for (const { id, features: f } of await explain("u-0", stocked.slice(i, i + 1000).map((p) => p.id), at))
      lines.push([id, of.get(id).brand, f.popularity ?? 0, f.rating, f.margin, f.discount, of.get(id).stock].join("\t"));
  if (lines.length !== stocked.length) throw new Error(`${stocked.length} products in stock, ${lines.length} explained`);
  writeFileSync(join(src, "products.tsv"), lines.join("\n") + "\n");
  const one = new Map(stocked.map((p) => [p.brand, p.id])), tastes = [];
  for (let u = 0; u < 1000; u++)
    for (const { id, features } of await explain(`u-${u}`, [...one.values()], at))
      if (features.affinity) tastes.push([`u-${u}`, of.get(id).brand, features.affinity].join("\t"));
  writeFileSync(join(src, "tastes.tsv"), tastes.join("\n") + "\n");
  writeFileSync(join(src, "at"), at);
  console.log(`${lines.length} products and ${tastes.length} tastes of 1,000 people written for the peers`);
}
function asks(count) {
  const text = readFileSync(join(dir, `rank${count}`), "utf8"), out = [];
  for (let at = 0; out.length < 200 && at < text.length; ) {
    const head = text.indexOf("\r\n\r\n", at) + 4, length = Number(/Content-Length: (\d+)/.exec(text.slice(at, head))[1]);
    out.push(JSON.parse(text.slice(head, head + length)));
    at = head + length;
  }
  return out;
}
async function compare() {
  const at = readFileSync(join(src, "at"), "utf8");
  for (const count of [100, 1000])
    for (const ask of asks(count)) {
      const mine = (await post(`${url}/v1/rank`, secret, { ...ask, at })).items.map((item) => item.id);
      for (const peer of peers) {
        const theirs = (await post(`${peer}/top`, json, { user: ask.customer.user_id, items: ask.items })).ids;
        if (mine.length !== 24 || mine.join() !== theirs.join()) throw new Error(`${peer} ranks ${count} items otherwise for ${ask.customer.user_id}:\n${mine}\n${theirs}`);
      }
    }
  console.log(`400 answers compared id by id with ${peers.length} peers: equal`);
}
await { dump, compare }[what]();
