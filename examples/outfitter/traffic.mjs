#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
//
// Sends shoppers with known tastes to a running attune and, with --check, asks
// whether their lists show it. Needs Node 20 and the catalog.jsonl beside it,
// nothing else. People, tastes and what they look at follow from --seed alone;
// only the moments lie in the last two days before --now.
//
// About 80 % of the shoppers love one brand and one category: 70 % of what
// they open is from either. The others, and the rest of the views, follow a
// draw in which few products are popular and most are not. What people order is
// what they love most of what they opened in that visit.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";

const HELP = `node traffic.mjs [--url http://127.0.0.1:8080] [--key WRITE_KEY] [--secret SECRET_KEY]
                 [--shoppers 200] [--views 30] [--seed 7] [--now TIME] [--settle SECONDS] [--check]

  --url       where attune serves
  --key       the write key, if the shop has keys; sends events and asks for lists
  --secret    the secret key, if the shop has keys; --check reads popularity through it
  --shoppers  how many people come
  --views     how many products each of them opens
  --seed      another number, other people
  --now       the moment the traffic ends (RFC 3339), for a server with its own clock
  --settle    seconds to wait between traffic and check (2)
  --check     afterwards rank "for_you" for everybody; exit code 1 if fewer than 95 % of
              those with a taste find it in their top 10, or a stranger's list is not by popularity`;

const BATCH = 100;
const TOP = 10;
const LIFT = 3;
const GOAL = 0.95;
const SPAN_MS = 48 * 3600e3;

function fail(message) {
  console.error(`traffic: ${message}`);
  process.exit(1);
}

function countOption(name, text) {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) fail(`--${name} needs a whole number, got "${text}"`);
  return value;
}

function readOptions() {
  const text = (fallback) => ({ type: "string", default: fallback });
  let values;
  try {
    ({ values } = parseArgs({
      options: {
        url: text("http://127.0.0.1:8080"), key: { type: "string" }, secret: { type: "string" },
        shoppers: text("200"), views: text("30"), seed: text("7"), now: { type: "string" },
        settle: text("2"), check: { type: "boolean" }, help: { type: "boolean", short: "h" },
      },
    }));
  } catch (error) {
    fail(`${error.message}\n\n${HELP}`);
  }
  if (values.help) {
    console.log(HELP);
    process.exit(0);
  }
  if (!URL.canParse(values.url)) fail(`--url is not an address: "${values.url}"; write http://HOST:PORT`);
  const now = values.now === undefined ? Date.now() : Date.parse(values.now);
  if (Number.isNaN(now)) fail(`--now is not a time: "${values.now}"; write 2026-11-26T10:00:00Z`);
  const counts = {};
  for (const name of ["shoppers", "views", "seed", "settle"]) counts[name] = countOption(name, values[name]);
  return { ...values, ...counts, url: values.url.replace(/\/+$/, ""), now };
}

/** A small seeded generator (mulberry32): the same seed, the same shoppers on every machine. */
function makeRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const pick = (random, list) => list[Math.floor(random() * list.length)];

/* ---- the shop and its people ---- */

function readProducts() {
  const file = new URL("catalog.jsonl", import.meta.url);
  const lines = readFileSync(file, "utf8").split("\n").filter(Boolean);
  return lines.map((line) => JSON.parse(line)).filter((product) => product.stock > 0);
}

/** Popularity belongs to the shop, not to the seed: every run favours the same products. */
function makeCrowdDraw(products) {
  const random = makeRandom(0x0a77e);
  const places = products.map((product) => ({ product, at: random() })).sort((a, b) => a.at - b.at);
  const sums = [];
  let sum = 0;
  places.forEach((_, place) => sums.push((sum += 1 / (place + 4) ** 0.9)));
  return (draw) => {
    const target = draw() * sum;
    return places[sums.findIndex((s) => s > target)].product;
  };
}

/** Pairs worth loving: several products carry both, or there is enough of each. */
function lovablePairs(products) {
  const groups = new Map();
  for (const product of products) {
    const name = `${product.brand}\n${product.category}`;
    groups.set(name, [...(groups.get(name) ?? []), product]);
  }
  const ofBrand = groupBy(products, "brand");
  const ofCategory = groupBy(products, "category");
  return [...groups.values()]
    .map((both) => ({ brand: both[0].brand, category: both[0].category, both }))
    .map((pair) => ({ ...pair, ofBrand: ofBrand.get(pair.brand), ofCategory: ofCategory.get(pair.category) }))
    .filter((p) => p.both.length >= 3 || (p.ofBrand.length >= 6 && p.ofCategory.length >= 6));
}

function groupBy(products, field) {
  const groups = new Map();
  for (const product of products) groups.set(product[field], [...(groups.get(product[field]) ?? []), product]);
  return groups;
}

function makeShoppers(options, products) {
  const random = makeRandom(options.seed);
  const pairs = lovablePairs(products);
  if (pairs.length === 0) fail("no brand and category of catalog.jsonl have enough products in stock to be loved");
  const digits = String(options.shoppers).length;
  return Array.from({ length: options.shoppers }, (_, at) => ({
    id: `shopper-${options.seed}-${String(at + 1).padStart(digits, "0")}`,
    taste: at % 5 === 4 ? null : pick(random, pairs),
    seed: Math.floor(random() * 2 ** 32),
  }));
}

/* ---- what they do ---- */

/** Seven of ten views are of the loved brand, of the loved category, or of what is both, a third each. */
function chooseProduct(random, taste, drawFromCrowd) {
  if (!taste || random() >= 0.7) return drawFromCrowd(random);
  return pick(random, pick(random, [taste.ofBrand, taste.ofCategory, taste.both]));
}

function productProperties(product) {
  const { id, title, brand, category, price } = product;
  return { product_id: id, name: title, brand, category, price };
}

const loveFor = (product, taste) => (product.brand === taste?.brand) + (product.category === taste?.category);

/** People look around, but put into the basket what they love most of what they saw. */
function chooseBasket(random, seen, taste) {
  const most = Math.max(...seen.map((product) => loveFor(product, taste)));
  const loved = seen.filter((product) => loveFor(product, taste) === most);
  return [...new Set([pick(random, loved), pick(random, loved)])];
}

/** One visit: some views, and in a third of the visits a basket, mostly with an order after it. */
function makeVisit(random, seen, taste, startMs) {
  const events = [];
  let atMs = startMs;
  const add = (event, properties) => events.push({ event, properties, atMs: (atMs += 5e3 + Math.floor(random() * 40e3)) });
  for (const product of seen) add("Product Viewed", productProperties(product));
  if (random() >= 0.35) return events;
  const bought = chooseBasket(random, seen, taste);
  for (const product of bought) add("Product Added", { ...productProperties(product), quantity: 1 });
  if (random() < 0.25) return events;
  const revenue = Math.round(bought.reduce((sum, p) => sum + p.price * 100, 0)) / 100;
  const products = bought.map((p) => ({ ...productProperties(p), quantity: 1 }));
  add("Order Completed", { revenue, currency: "EUR", products });
  return events;
}

function makeEventsOf(shopper, options, drawFromCrowd) {
  const random = makeRandom(shopper.seed);
  const events = [];
  for (let left = options.views; left > 0; ) {
    const count = Math.min(left, 3 + Math.floor(random() * 6));
    const seen = Array.from({ length: count }, () => chooseProduct(random, shopper.taste, drawFromCrowd));
    const startMs = options.now - SPAN_MS + Math.floor(random() * (SPAN_MS - 15 * 60e3));
    events.push(...makeVisit(random, seen, shopper.taste, startMs));
    left -= count;
  }
  return events.map((event) => ({ ...event, shopper }));
}

/** All events in the order of time. Ids carry the end of the run, so a second run is new traffic, not a conflict. */
function makeEvents(shoppers, options, drawFromCrowd) {
  const events = shoppers.flatMap((shopper) => makeEventsOf(shopper, options, drawFromCrowd));
  events.sort((a, b) => a.atMs - b.atMs);
  const run = `${options.seed}-${options.now.toString(36)}`;
  return events.map(({ shopper, event, properties, atMs }, at) => ({
    type: "track",
    event,
    anonymousId: shopper.id,
    messageId: `traffic-${run}-${at}`,
    timestamp: new Date(atMs).toISOString(),
    properties: event === "Order Completed" ? { order_id: `order-${run}-${at}`, ...properties } : properties,
  }));
}

function countSales(events) {
  const sales = new Map();
  for (const { event, properties } of events) {
    if (event !== "Order Completed") continue;
    for (const { product_id: id } of properties.products) sales.set(id, (sales.get(id) ?? 0) + 1);
  }
  return sales;
}

/* ---- talking to the server ---- */

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const HINTS = {
  401: "the shop has keys: give --key, and --secret for --check",
  403: "this key may not do that: --check needs --secret",
  404: "this address is not an attune server, or an older one",
  413: "the server takes smaller batches than this generator sends",
  422: "is this the outfitter's folder? Serve examples/outfitter and look at what `attune check` says",
};

async function post(options, path, body, key) {
  const headers = { "content-type": "application/json", ...(key && { authorization: `Bearer ${key}` }) };
  for (let attempt = 1; ; attempt++) {
    let response;
    try {
      response = await fetch(options.url + path, { method: "POST", headers, body: JSON.stringify(body) });
    } catch (error) {
      fail(`no answer from ${options.url} (${error.cause?.code ?? error.message}): start the shop first,\n` +
        "  attune serve examples/outfitter, or name another address with --url");
    }
    const text = await response.text();
    if (response.ok) return JSON.parse(text);
    if ((response.status === 429 || response.status === 503) && attempt < 6) {
      await pause(1000 * Math.min(10, Number(response.headers.get("retry-after")) || 1));
      continue;
    }
    fail(`${path} answered ${response.status}: ${text.slice(0, 400)}\n  ${HINTS[response.status] ?? "see the server's log"}`);
  }
}

async function sendEvents(options, events) {
  const began = performance.now();
  for (let at = 0; at < events.length; at += BATCH) {
    const answer = await post(options, "/v1/batch", { batch: events.slice(at, at + BATCH) }, options.key ?? options.secret);
    const bad = answer.results?.findIndex((r) => r.status !== "accepted" && r.status !== "duplicate") ?? -1;
    if (bad < 0) continue;
    const { status, message } = answer.results[bad];
    fail(`event ${events[at + bad].messageId} is ${status}: ${message ?? "no reason given"}\n` +
      "  a conflict means other traffic used this seed and --now before: choose another");
  }
  return (performance.now() - began) / 1000;
}

function rank(options, id, extra = {}) {
  const body = { customer: { anonymous_id: id }, ranking: "for_you", where: {}, limit: TOP, ...extra };
  return post(options, "/v1/rank", body, extra.explain ? options.secret : options.key ?? options.secret);
}

/* ---- does it show? ---- */

const shareOf = (products, field, value) => products.filter((p) => p[field] === value).length / products.length;

/** The whole list of somebody who was never here: what is for sale, and in which order a stranger meets it. */
async function askStranger(options, products) {
  const explain = options.secret !== undefined || options.key === undefined;
  const id = `stranger-${options.now.toString(36)}`;
  const answer = await rank(options, id, { limit: products.length, ...(explain && { explain }) });
  if (answer.fallback) fail(`the list came from the fallback: ${JSON.stringify(answer.fallback)}`);
  if (!answer.items?.length) fail("the list is empty: import the catalog first, attune import catalog examples/outfitter/catalog.jsonl");
  return { ids: answer.items.map((item) => item.id), popularity: explain ? popularityIn(answer) : null };
}

function popularityIn(answer) {
  const explained = answer.explain?.items ?? answer.items;
  const values = explained.map((item) => item.features?.popularity);
  return values.every((value) => typeof value === "number") ? values : null;
}

/** Of all pairs of which one sold at least two more than the other: the share in which it also stands higher. */
function agreement(ids, sales) {
  const counts = ids.map((id) => sales.get(id) ?? 0);
  let right = 0;
  let pairs = 0;
  for (let i = 0; i < counts.length; i++) {
    for (let j = i + 1; j < counts.length; j++) {
      if (Math.abs(counts[i] - counts[j]) < 2) continue;
      pairs++;
      if (counts[i] > counts[j]) right++;
    }
  }
  if (pairs === 0) fail("too few orders to know what is popular: send more --shoppers or --views");
  return right / pairs;
}

function checkStranger({ ids, popularity }, sales) {
  const agreed = agreement(ids, sales);
  const falls = popularity?.every((value, at) => at === 0 || value <= popularity[at - 1] + 1e-9);
  const measured = popularity === null
    ? "not read (needs --secret)"
    : falls && popularity[0] > 0 ? "falls from first to last place" : "does NOT fall from first to last place";
  console.log(`a stranger's list: measured popularity ${measured}; ${(100 * agreed).toFixed(1)} % of pairs as sold in this run`);
  return agreed >= 0.9 && (popularity === null || (falls && popularity[0] > 0));
}

async function askEverybody(options, shoppers) {
  const lists = new Map();
  const queue = [...shoppers];
  const work = async () => {
    for (let shopper = queue.shift(); shopper; shopper = queue.shift()) {
      const answer = await rank(options, shopper.id);
      lists.set(shopper, answer.items.map((item) => item.id));
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
  return lists;
}

function tasteShows(taste, top, sold) {
  return ["brand", "category"].every((field) => {
    const usual = shareOf(sold, field, taste[field]);
    return shareOf(top, field, taste[field]) >= LIFT * usual;
  });
}

function checkTastes(lists, sold, byId) {
  const withTaste = [...lists].filter(([shopper]) => shopper.taste);
  const missed = withTaste.filter(([{ taste }, ids]) => !tasteShows(taste, ids.map((id) => byId.get(id)), sold));
  const shown = withTaste.length - missed.length;
  if (withTaste.length === 0) fail("nobody with a taste came, so there is nothing to check: send more --shoppers");
  const percent = (100 * shown) / withTaste.length;
  console.log(`${shown} of ${withTaste.length} shoppers with a taste (${percent.toFixed(1)} %) find their brand and their category ` +
    `at least ${LIFT} times as often in the top ${TOP} as in the whole list`);
  for (const [{ id, taste }] of missed.slice(0, 5)) console.log(`  not ${id}: ${taste.brand}, ${taste.category}`);
  return percent >= 100 * GOAL;
}

/** For information: people who look at anything should stay near what everyone sees. */
function reportTasteless(lists, strangerIds) {
  const usual = new Set(strangerIds.slice(0, 3 * TOP));
  const without = [...lists].filter(([shopper]) => !shopper.taste).map(([, ids]) => ids);
  if (without.length === 0) return;
  const near = without.flat().filter((id) => usual.has(id)).length / without.length;
  console.log(`${without.length} shoppers without a taste: ${near.toFixed(1)} of their ${TOP} are among the ${3 * TOP} most popular`);
}

async function check(options, shoppers, products, events) {
  await pause(1000 * options.settle);
  const byId = new Map(products.map((product) => [product.id, product]));
  const stranger = await askStranger(options, products);
  const unknown = stranger.ids.find((id) => !byId.has(id));
  if (unknown) fail(`the list holds ${unknown}, which catalog.jsonl does not sell: import this catalog into a new data folder`);
  const sold = stranger.ids.map((id) => byId.get(id));
  const lists = await askEverybody(options, shoppers);
  const tastes = checkTastes(lists, sold, byId);
  const popular = checkStranger(stranger, countSales(events));
  reportTasteless(lists, stranger.ids);
  return tastes && popular;
}

async function main() {
  const options = readOptions();
  const products = readProducts();
  const shoppers = makeShoppers(options, products);
  const events = makeEvents(shoppers, options, makeCrowdDraw(products));
  const seconds = await sendEvents(options, events);
  const orders = events.filter((e) => e.event === "Order Completed").length;
  console.log(`${events.length} events of ${shoppers.length} shoppers, ${orders} orders, sent in ${seconds.toFixed(1)} s`);
  for (const { id, taste } of shoppers.filter((s) => s.taste).slice(0, 2)) {
    console.log(`  ${id} loves ${taste.brand} and ${taste.category}`);
  }
  if (options.check && !(await check(options, shoppers, products, events))) process.exitCode = 1;
}

await main();
