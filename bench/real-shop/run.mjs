#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
//
// Real input: a year of orders of a UK gift shop goes in through /v1/import in time order; then each known customer who orders
// within the month after the cut is ranked over the whole catalog, against the products of their first invoice after it.
//   node bench/real-shop/run.mjs [--cut 2011-10-08] [--end 2011-11-09] [--grid]
// SHARED_DATA names the folder of the data sets (default ../shared/data); ATTUNE the program (build/attune).
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gunzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url)), root = join(here, "../..");
const { values: options } = parseArgs({ options: { cut: { type: "string", default: "2011-10-08" }, end: { type: "string", default: "2011-11-09" }, grid: { type: "boolean" } } });
const data = join(process.env.SHARED_DATA ?? join(root, "../shared/data"), "uci-online-retail");
if (!existsSync(data)) {
  console.log("skipped: no data");
  process.exit(0);
}
const cut = `${options.cut} 00:00:00`, end = `${options.end} 00:00:00`, at = `${options.cut}T00:00:00Z`;

// ---- the data ----
function* rows(text) {
  let fields = [], field = "", quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quoted) {
      if (c === '"' && text[i + 1] === '"') field += text[++i];
      else if (c === '"') quoted = false;
      else field += c;
    } else if (c === '"') quoted = true;
    else if (c === ",") fields.push(field), (field = "");
    else if (c === "\n") {
      fields.push(field.replace(/\r$/, ""));
      yield fields;
      fields = [];
      field = "";
    } else field += c;
  }
}
const invoices = new Map();
for (const name of readdirSync(data).filter((one) => one.endsWith(".csv.gz")).sort()) {
  let header = true;
  for (const [invoice, code, description, quantity, date, price, customer] of rows(gunzipSync(readFileSync(join(data, name))).toString())) {
    if (header || !customer) {
      header = false;
      continue;
    }
    const isRefund = invoice.startsWith("C"), q = Number(quantity), p = Number(price);
    if (!isRefund && !(q > 0 && p > 0)) continue;
    let one = invoices.get(invoice);
    if (!one) invoices.set(invoice, (one = { id: invoice, customer: String(parseInt(customer, 10)), date, isRefund, lines: new Map(), total: 0 }));
    one.total += Math.abs(q) * p;
    const line = one.lines.get(code) ?? { code, description: description.trim(), price: p, quantity: 0 };
    line.quantity += Math.abs(q);
    one.lines.set(code, line);
  }
}
const all = [...invoices.values()].sort((a, b) => (a.date < b.date ? -1 : a.date > b.date ? 1 : a.id < b.id ? -1 : 1));
const before = all.filter((one) => one.date < cut), orders = before.filter((one) => !one.isRefund);
const known = new Set(orders.map((one) => one.customer));
const truth = new Map();
for (const one of all)
  if (one.date >= cut && one.date < end && !one.isRefund && known.has(one.customer) && !truth.has(one.customer)) truth.set(one.customer, new Set(one.lines.keys()));

// ---- references ----
const overall = new Map(), own = new Map();
for (const one of orders) {
  if (!own.has(one.customer)) own.set(one.customer, new Map());
  for (const code of one.lines.keys()) {
    overall.set(code, (overall.get(code) ?? 0) + 1);
    own.get(one.customer).set(code, (own.get(one.customer).get(code) ?? 0) + 1);
  }
}
const popular = [...overall.keys()].sort((a, b) => overall.get(b) - overall.get(a) || (a < b ? -1 : 1));
const place = new Map(popular.map((code, i) => [code, i]));
const mostBought = (customer) => {
  const mine = own.get(customer), list = [...mine.keys()].sort((a, b) => mine.get(b) - mine.get(a) || place.get(a) - place.get(b)).slice(0, 10);
  for (const code of popular) {
    if (list.length >= 10) break;
    if (!mine.has(code)) list.push(code);
  }
  return list;
};
const score = (list, wanted) => {
  const hits = list.filter((code) => wanted.has(code)).length;
  return { recall: hits / wanted.size, hit: hits > 0 ? 1 : 0 };
};
const customers = [...truth.keys()].sort();
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const evaluate = (lists) => {
  const results = customers.map((customer) => score(lists.get(customer), truth.get(customer)));
  return { recalls: results.map((one) => one.recall), recall: mean(results.map((one) => one.recall)), hit: mean(results.map((one) => one.hit)) };
};

// ---- attune ----
const dir = mkdtempSync(join(tmpdir(), "attune-real-"));
cpSync(here, dir, { recursive: true });
const common = new Set("and the for with set box".split(" "));
const catalog = new Map();
for (const one of orders)
  for (const line of one.lines.values()) {
    const known = catalog.get(line.code);
    const words = line.description.toLowerCase().split(/[^a-z]+/).filter((word) => word.length > 2 && !common.has(word));
    catalog.set(line.code, { id: line.code, title: line.description || known?.title || line.code, price: line.price, tags: words.length ? [...new Set(words)] : known?.tags ?? [], category: words.at(-1) ?? known?.category ?? "other" });
  }
const server = spawn(process.env.ATTUNE ?? join(root, "build/attune"), ["serve", dir, "--data", join(dir, "data"), "--listen", "127.0.0.1:0", "--now", at], { stdio: ["ignore", "ignore", "pipe"] });
process.on("exit", () => {
  server.kill("SIGKILL");
  rmSync(dir, { recursive: true, force: true });
});
let log = "";
const url = await new Promise((done, fail) => {
  server.stderr.on("data", (text) => {
    log += text;
    const found = /listening on (http:\S+)/.exec(log);
    if (found) done(found[1]);
  });
  server.once("exit", () => fail(new Error(log)));
});
const call = async (method, path, body) => {
  const answer = await fetch(url + path, { method, body: body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body), headers: { "content-type": "application/json" } });
  const json = await answer.json();
  if (!answer.ok) throw new Error(`${path}: ${JSON.stringify(json)}`);
  return json;
};
await call("PUT", "/v1/catalog/items", [...catalog.values()].map((one) => JSON.stringify(one)).join("\n"));
const event = (one) => ({
  type: "track", messageId: one.id, userId: one.customer, timestamp: `${one.date.replace(" ", "T")}Z`,
  event: one.isRefund ? "Order Refunded" : "Order Completed",
  properties: one.isRefund
    ? { refund_id: one.id, total: one.total, currency: "GBP" }
    : { order_id: one.id, revenue: one.total, currency: "GBP", products: [...one.lines.values()].slice(0, 500).map((line) => ({ product_id: line.code, price: line.price, quantity: line.quantity })) },
});
let accepted = 0, batch = [], bytes = 0;
const flush = async () => {
  if (!batch.length) return;
  const answer = await call("POST", "/v1/import", `{"batch":[${batch.join(",")}]}`);
  for (const [i, result] of answer.results.entries()) {
    if (result.status === "accepted") accepted++;
    else throw new Error(`${batch[i].slice(0, 200)}: ${JSON.stringify(result)}`);
  }
  batch = [];
  bytes = 0;
};
let split = 0;
for (const one of before) {
  let text = JSON.stringify(event(one));
  if (Buffer.byteLength(text) > 32 * 1024) { /* an event may have 32 KiB: the largest invoices go in with their first lines */
    const short = event(one);
    while (Buffer.byteLength(text) > 32 * 1024) {
      short.properties.products.pop();
      text = JSON.stringify(short);
    }
    split++;
  }
  if (bytes + text.length > 450 * 1024 || batch.length === 2000) await flush();
  batch.push(text);
  bytes += text.length + 1;
}
await flush();
console.log(`${accepted} events before ${options.cut} (${orders.length} orders of ${known.size} customers, ${before.length - orders.length} cancellations), ${catalog.size} products; ${split} orders over 32 KiB cut to it`);
await new Promise((done) => setTimeout(done, 3500));

let latest = "";
for (const customer of customers) {
  const timeline = await call("GET", `/v1/customers/by/user_id/${customer}/timeline?limit=1`);
  if (timeline.events[0].timestamp > latest) latest = timeline.events[0].timestamp;
}
console.log(`${customers.length} customers order from ${options.cut} to before ${options.end}; the latest event in any of their timelines is ${latest}`);
if (latest >= at) throw new Error("an event after the cut is in");

async function lists(ranking) {
  const result = new Map();
  for (const customer of customers)
    result.set(customer, (await call("POST", "/v1/rank", { customer: { user_id: customer }, ranking, where: {}, limit: 10, at })).items.map((item) => item.id));
  return result;
}
const base = evaluate(new Map(customers.map((customer) => [customer, mostBought(customer)])));
const pop = evaluate(new Map(customers.map((customer) => [customer, popular.slice(0, 10)])));
const show = (name, result) => console.log(`${name.padEnd(44)} recall@10 ${result.recall.toFixed(4)}  hit@10 ${result.hit.toFixed(4)}`);
show("own ten most bought", base);
show("popularity", pop);

if (options.grid) { // weights are chosen on an earlier cut: --cut 2011-08-01 --end 2011-09-01 --grid
  const template = readFileSync(join(here, "scripts/rankings/for_you.lua"), "utf8");
  const grid = JSON.parse(process.env.GRID ?? "[]");
  for (const weights of grid) {
    let text = template;
    for (const [name, value] of Object.entries(weights)) text = text.replace(new RegExp(`(local ${name}\\s*=\\s*)[\\d.]+`), `$1${value}`);
    writeFileSync(join(dir, "scripts/rankings/for_you.lua"), text);
    await call("POST", "/v1/scripts", { files: { "scripts/rankings/for_you.lua": text } });
    show(JSON.stringify(weights), evaluate(await lists("for_you")));
  }
  process.exit(0);
}
const mine = evaluate(await lists("for_you"));
show("attune, ranking for_you", mine);
const scripts = readFileSync(join(here, "scripts/rankings/for_you.lua"), "utf8");
for (const [, name] of scripts.matchAll(/^ranking "(for_you_without_\w+)"/gm)) show(`  ${name.replaceAll("_", " ")}`, evaluate(await lists(name)));

let state = 20111008;
const random = () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32);
const differences = Array.from({ length: 2000 }, () => {
  let sum = 0;
  for (let i = 0; i < customers.length; i++) {
    const k = Math.floor(random() * customers.length);
    sum += mine.recalls[k] - base.recalls[k];
  }
  return sum / customers.length;
}).sort((a, b) => a - b);
const gain = mine.recall / base.recall - 1;
console.log(`recall over own most bought: ${(100 * gain).toFixed(1)} %; difference ${(mine.recall - base.recall).toFixed(4)}, 95 % bootstrap interval ${differences[50].toFixed(4)} to ${differences[1949].toFixed(4)}`);
console.log(gain >= 0.05 && differences[50] > 0 ? "goal reached: at least +5 %, interval above 0" : "goal not reached");
process.exit(0);
