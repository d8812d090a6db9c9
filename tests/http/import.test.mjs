// SPDX-License-Identifier: Apache-2.0
//
// History in: the marks that imports leave, and what the verb `attune import events` does with a file.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { basic, basicShop, bearer, folder, KEYS, products, program, run, serve, sharedData } from "./harness.mjs";

const secret = bearer("sk_first_1"), write = basic("wk_first_1");
const view = (id, more = {}) => ({ type: "track", anonymousId: "v", event: "Product Viewed", messageId: id, timestamp: "2026-05-01T10:00:00Z", ...more });

test("a mark is durable with the events it speaks of, and needs the secret key", async (t) => {
  const shop = await serve(t, basicShop(KEYS));
  const send = (body, key = secret) => shop.post("/v1/import", body, key);
  const state = async (name) => (await shop.get(`/v1/imports/${name}`, secret)).body?.state;
  for (const field of ["mark", "source"]) {
    const refused = await send({ batch: [view("a")], [field]: field === "mark" ? { name: "m", state: {} } : "till" }, write);
    assert.deepEqual([refused.status, refused.body.error.code, refused.body.error.field], [403, "secret_only", field]);
  }
  for (const [body, field] of [
    [{ mark: { name: "no spaces", state: {} } }, "mark.name"], [{ mark: { name: "x".repeat(101), state: {} } }, "mark.name"], [{ mark: {} }, "mark.name"],
    [{ mark: { name: "m", state: [] } }, "mark.state"], [{ mark: { name: "m", state: { x: "y".repeat(4096) } } }, "mark.state"],
    [{ source: "" }, "source"], [{ source: "x".repeat(101) }, "source"], [{ source: 7 }, "source"],
  ]) {
    const refused = await send({ batch: [view("never")], ...body });
    assert.deepEqual([refused.status, refused.body.error.field], [422, field], refused.text);
  }
  assert.equal((await shop.get("/v1/customers/by/anonymous_id/v", secret)).status, 404, "nothing of what was refused was taken");
  assert.equal((await send({ batch: [view("a"), view("b"), view("b")], mark: { name: "m.1-x_Y", state: { lines: 3, deep: { ["\u00e4"]: [1.5, null] } } } })).status, 200);
  await shop.stop("SIGKILL");
  await shop.start();
  assert.deepEqual(await state("m.1-x_Y"), { lines: 3, deep: { "\u00e4": [1.5, null] } });
  assert.equal(await state("m.1"), undefined);
  const again = await send({ batch: [view("a"), view("b")], mark: { name: "m.1-x_Y", state: { lines: 5 } } });
  assert.deepEqual(again.body.results.map((one) => one.status), ["duplicate", "duplicate"]);
  await shop.stop("SIGKILL");
  await shop.start();
  assert.deepEqual(await state("m.1-x_Y"), { lines: 5 }, "a mark without news is durable, too");
  assert.equal((await send({ batch: [view("a")], mark: null, source: null })).body.results[0].status, "duplicate");
  assert.equal((await send({ batch: [view("a")], source: "till" })).body.results[0].status, "accepted", "another source has ids of its own");
  assert.equal((await send({ batch: [view("a")], source: "till" })).body.results[0].status, "duplicate");
});

test("commits that are stale leave the mark where it belongs", async (t) => {
  const shop = await serve(t, basicShop(KEYS), { env: { ATTUNE_TEST_STALE: "400" } });
  for (let i = 0; i < 40; i++) {
    const answer = await shop.post("/v1/import", { batch: [view(`s${i}`), view(`s${i}`)], mark: { name: "stale", state: { i } } }, secret);
    assert.deepEqual(answer.body.results.map((one) => one.status), ["accepted", "duplicate"]);
    assert.deepEqual((await shop.get("/v1/imports/stale", secret)).body, { name: "stale", state: { i }, results: { accepted: 1, duplicate: 1, conflict: 0, withheld: 0, invalid: 0 } });
  }
});

test("of the past an address is enough, also where consent withholds the event", async (t) => {
  const shop = await serve(t, { ...basicShop(), "shop.lua": `${basicShop()["shop.lua"]}consent { analytics = "opt-in", personalization = "opt-in" }\n` });
  const order = (email, id, consent) => ({ type: "track", event: "Order Completed", messageId: id, timestamp: "2026-05-01T10:00:00Z", context: { traits: { email }, ...(consent === undefined ? {} : { consent: { categoryPreferences: { analytics: consent } } }) }, properties: { order_id: id, revenue: 7 } });
  const answer = await shop.post("/v1/import", { batch: [order("ann@example.com", "o1", true), order("bob@example.com", "o2", false), order("Ann@Example.com ", "o3"), order(undefined, "o4")] });
  assert.deepEqual(answer.body.results.map((one) => one.status), ["accepted", "withheld", "accepted", "invalid"], answer.text);
  assert.match(answer.body.results[3].message, /email or phone/);
  await shop.stop("SIGKILL");
  await shop.start();
  const person = async (email) => (await shop.get(`/v1/customers/by/email/${email}`)).body;
  assert.equal((await person("ann@example.com")).orders.revenue, 14);
  assert.deepEqual([(await person("bob@example.com")).consent.analytics, (await person("bob@example.com")).orders.count], ["denied", 0]);
  assert.equal((await shop.post("/v1/batch", { batch: [order("ann@example.com", "o5")] })).body.results[0].status, "invalid", "of what happens now it is not");
});

// ---- the verb ----

/** Rows of a shop that is stopped. */
function rows(dir, sql) {
  const ran = spawnSync("python3", ["-c", "import json, sqlite3, sys\nfor row in sqlite3.connect(sys.argv[1]).execute(sys.argv[2]): print(json.dumps(row))", join(dir, "data/attune.db"), sql], { encoding: "utf8", maxBuffer: 1 << 28 });
  assert.equal(ran.status, 0, ran.stderr);
  return ran.stdout.split("\n").filter(Boolean).map((line) => JSON.parse(line));
}
/** Everything that is known of everybody, to the last bit, and what it was made from; but for when it came in and for numbers that are
 * given out as they come (which of two people survives depends on what was committed between). */
function everything(dir) {
  const identifiers = rows(dir, "select id, kind, value, person, since_ms from identifier order by kind, value"), name = new Map(identifiers.map((row) => [row[0], `${row[1]}:${row[2]}`]));
  const byName = (text) => text.replace(/"(source|consent_again)":(\d+)/g, (_, what, id) => `"${what}":"${name.get(Number(id))}"`);
  const people = new Map();
  for (const row of identifiers) people.set(row[3], [...(people.get(row[3]) ?? []), name.get(row[0])]);
  return {
    identifiers: identifiers.map((row) => [row[1], row[2], row[4]]),
    profiles: rows(dir, "select person, body from profile where person in (select person from identifier)").map(([person, body]) => [people.get(person).join(), byName(body).replace(/^\{"version":1,"person":\d+,"applied":\d+/, "")]).sort(),
    /* two are joined before the event that shows it is written: where a kill came between, link and profile are nobody's */
    links: rows(dir, "select a, b, at_ms, message_id, name from link where a in (select id from identifier) and b in (select id from identifier)").map(([x, y, ...rest]) => [...[name.get(x), name.get(y)].sort(), ...rest].join()).sort(),
    claims: rows(dir, "select kind, key, person from claim order by kind, key").map(([kind, key]) => [kind, key]),
    events: rows(dir, "select source, at_ms, origin, message_id, name, payload_hash, facts, body from event order by seq").map((row) => [name.get(row[0]), ...row.slice(1, 6), byName(row[6]), row[7].replace(/,"receivedAt":"[^"]*"/, "")]),
  };
}
/** A difference of thousands of rows is said by its first. */
function same(actual, expected, what) {
  for (const part of Object.keys(expected)) {
    const at = expected[part].findIndex((row, i) => JSON.stringify(row) !== JSON.stringify(actual[part][i]));
    if (at >= 0) {
      const [a, b] = [JSON.stringify(actual[part][at] ?? null), JSON.stringify(expected[part][at])], from = Math.max(0, [...b].findIndex((c, i) => c !== a[i]) - 60);
      assert.fail(`${what}: ${part} ${at} ${b.slice(0, 60)}\nis        ${a.slice(from, from + 200)}\nshould be ${b.slice(from, from + 200)}`);
    }
    assert.equal(actual[part].length, expected[part].length, `${what}: ${part}`);
  }
}
/** A history of a small shop: visits, people who become known, orders and refunds, what comes late. With `joins` two browsers become
 * one person; else consent is given and taken back (what it makes of an event is judged as of its request, joined people included, so
 * that with both it matters where one batch ends). */
function history(count, { seed = 5, withIds = true, joins = true } = {}) {
  let state = seed, t = Date.parse("2026-03-01T08:00:00Z");
  const below = (n) => Math.floor(((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32) * n);
  return Array.from({ length: count }, (_, i) => {
    t += below(1200e3);
    const p = below(Math.ceil(count / 12)), user = `u${p >> Number(joins)}`, who = below(4) ? { anonymousId: `v${p}` } : { anonymousId: `v${p}`, userId: user };
    const timestamp = new Date(t - (below(9) ? 0 : below(40 * 86400e3))).toISOString();
    const base = { ...(withIds ? { messageId: `m${i}` } : {}), ...who, timestamp };
    const product_id = `SKU-${1 + below(60)}`, context = { page: { path: `/p/${below(9)}` }, locale: ["de-DE", "en-GB"][below(2)], userAgent: ["Mozilla (iPhone)", "Mozilla"][below(2)] };
    switch (below(12)) {
      case 0: return { type: "identify", ...base, userId: user, traits: { email: `${user}@example.com`, plan: below(3) } };
      case 1: return { type: "track", event: "Order Completed", ...base, properties: { order_id: `o${below(count)}`, revenue: below(9999) / 100, products: [{ product_id, price: 3, quantity: 1 + below(3) }] } };
      case 2: return { type: "track", event: "Order Refunded", ...base, properties: { order_id: `o${below(count)}`, ...(below(2) ? { total: below(500) / 100 } : {}) } };
      case 3: return { type: "page", name: "Home", ...base, context };
      case 4: return { type: "track", event: "Product Added", ...base, properties: { product_id, price: 2.5, quantity: 2 }, context };
      case 5: if (!joins) return { type: "track", event: "Product Viewed", ...base, context: { ...context, consent: { categoryPreferences: { analytics: true, personalization: below(3) > 0 } } }, properties: { product_id } }; // fall through
      default: return { type: "track", event: "Product Viewed", ...base, context, properties: { product_id, note: "a \u00e4 \\ \"b\"" } };
    }
  });
}
const jsonl = (events) => events.map((one) => JSON.stringify(one)).join("\n") + "\n";
const SHOP_WITH_CONSENT = 'shop "test" { currency = "EUR", timezone = "UTC" }\n';
function shopFolder(t, more = {}) {
  const dir = folder(t, { ...basicShop(SHOP_WITH_CONSENT), "catalog.jsonl": jsonl(products(60)), ...more });
  assert.equal(run(["import", "catalog", join(dir, "catalog.jsonl"), "--shop", dir]).code, 0);
  return dir;
}
const importEvents = (dir, file, ...more) => run(["import", "events", file === "-" ? file : join(dir, file), "--shop", dir, ...more]);

for (const [joins, what] of [[true, "joined"], [false, "with consents"]]) test(`a file makes the same people as its events over HTTP, to the last bit: ${what}`, async (t) => {
  const events = history(6000, { joins }), byFile = shopFolder(t, { "h.jsonl": jsonl(events) });
  const taken = importEvents(byFile, "h.jsonl");
  assert.equal(taken.code, 0, taken.err);
  assert.match(taken.out, /^6000 events taken, 0 already there, 0 withheld for want of consent, 0 lines not accepted\n$/);
  const byHttp = await serve(t, { ...basicShop(SHOP_WITH_CONSENT) });
  await byHttp.call("PUT", "/v1/catalog/items", products(60));
  for (let i = 0; i < events.length; i += 700) {
    const answer = await byHttp.post("/v1/import", { batch: events.slice(i, i + 700) });
    assert.ok(answer.body.results.every((one) => one.status === "accepted"));
  }
  await byHttp.stop();
  const [file, http] = [everything(byFile), everything(byHttp.dir)];
  for (const what of Object.keys(file)) assert.ok(file[what].length > 20, `${what}: ${file[what].length}`);
  same(file, http, "by file and by HTTP");
  assert.ok(file.events.every((one) => one[6].startsWith('{"backfill":true')), "all of them are marked as past");
  /* and as they are shown: but for the moment that tastes are faded to */
  const now = ["--now", "2026-11-26T10:00:00Z"], again = await serve(t, {}, { args: ["--data", join(byFile, "data"), ...now] });
  byHttp.args = now;
  await byHttp.start();
  const fade = (person) => JSON.stringify(person, (key, value) => (key === "affinity" ? Object.fromEntries(Object.entries(value).map(([facet, tastes]) => [facet, Object.fromEntries(Object.entries(tastes).map(([name, one]) => [name, one.toFixed(5)]).sort())])) : value));
  let count = 0;
  for (const [kind, value] of file.identifiers.filter((_, i) => i % 7 === 0)) {
    const [a, b] = await Promise.all([again, byHttp].map((shop) => shop.get(`/v1/customers/by/${kind}/${encodeURIComponent(value)}`)));
    assert.equal(a.status, b.status);
    assert.equal(fade({ ...a.body, id: "" }), fade({ ...b.body, id: "" }), value);
    count++;
  }
  assert.ok(count > 50);
});

test("whatever form the file has, and whoever owns the shop", async (t) => {
  const events = history(400), lines = jsonl(events), expected = shopFolder(t, { "h.jsonl": lines });
  assert.equal(importEvents(expected, "h.jsonl").code, 0);
  const whole = everything(expected), pretty = JSON.stringify(events, null, 2);
  const forms = {
    "crlf.jsonl": "\uFEFF" + lines.replaceAll("\n", "\r\n\r\n"), "h.jsonl.gz": gzipSync(lines), "a.json": JSON.stringify(events), "pretty.json": `\n ${pretty} \n`,
    "two.gz": Buffer.concat([gzipSync(lines.slice(0, 7001)), gzipSync(lines.slice(7001))]), "batch.json": JSON.stringify({ sentAt: "2026-11-26T10:00:00Z", x: [{ context: 1 }], batch: events, y: { context: 2 } }),
    "batch.json.gz": gzipSync(`{"a":"}]\\\"", "batch" : ${pretty}}`), "spaced.jsonl": lines.replaceAll("{\"type\"", ` \t{${" ".repeat(33000)}"type"`), "open.jsonl": lines.trimEnd(),
  };
  for (const [name, text] of Object.entries(forms)) {
    const dir = shopFolder(t, { [name]: text });
    const taken = importEvents(dir, name);
    assert.match(taken.out, /^400 events taken, 0 already there/, `${name}: ${taken.err}`);
    same(everything(dir), whole, name);
  }
  const piped = shopFolder(t);
  const taken = run(["import", "events", "-", "--shop", piped], { input: lines });
  assert.match(taken.out, /^400 events taken/, taken.err);
  same(everything(piped), whole, "standard input");
  assert.match(run(["import", "events", "-", "--shop", piped], { input: lines }).out, /imported before/);
  /* through the process that serves the shop */
  const shop = await serve(t, { ...basicShop(KEYS), "h.jsonl": lines });
  await shop.call("PUT", "/v1/catalog/items", products(60), secret);
  const through = importEvents(shop.dir, "h.jsonl");
  assert.match(through.out, /^400 events taken/, through.err);
  assert.match(importEvents(shop.dir, "h.jsonl").out, /imported before/);
  await shop.stop();
  same(everything(shop.dir), whole, "through the server");
});

test("what is not accepted is said with its line, the rest is kept", (t) => {
  const lines = [JSON.stringify(view("a")), "{bad", "", JSON.stringify({ type: "track", anonymousId: "v" }), '{"type":"track"', "7", JSON.stringify(view("a", { event: "Other" })), JSON.stringify(view("b")), `{"type":"track","anonymousId":"v","event":"A","pad":"${"x".repeat(33000)}"}`, `{"pad":"${"x".repeat(1100000)}"}`, JSON.stringify(view("a")), JSON.stringify(view("c"))];
  const dir = shopFolder(t, { "h.jsonl": lines.join("\n"), "h.json": `[\n${JSON.stringify(view("d"))},\n\n {bad},,\n${JSON.stringify(view("e"))} , 7]`, "cut.json": `[${JSON.stringify(view("f"))},{"type"`, "no.csv": "a,b\n1,2\n", "empty.jsonl": "", "none.json": "[]", "context.json": `{"context":{"locale":"de"},"batch":[${JSON.stringify(view("g"))}]}`, "late.json": `{"batch":[${JSON.stringify(view("h"))}],"context":{}}`, "cut.gz": gzipSync(jsonl(history(3000))).subarray(0, 20000) });
  const taken = importEvents(dir, "h.jsonl");
  assert.equal(taken.code, 1);
  assert.match(taken.out, /^3 events taken, 1 already there, 0 withheld for want of consent, 7 lines not accepted\n$/);
  const said = taken.err.trim().split("\n");
  assert.deepEqual(said.map((line) => Number(/^line (\d+): /.exec(line)[1])).sort((a, b) => a - b), [2, 4, 5, 6, 7, 9, 10], taken.err);
  for (const [line, why] of [[2, /byte 1/], [4, /event's name/], [6, /JSON object/], [7, /messageId/], [9, /32 KiB/], [10, /MiB/]]) assert.match(said.find((one) => one.startsWith(`line ${line}:`)), why);
  const array = importEvents(dir, "h.json");
  assert.deepEqual([array.code, array.out], [1, "2 events taken, 0 already there, 0 withheld for want of consent, 3 lines not accepted\n"]);
  assert.deepEqual(array.err.trim().split("\n").map((line) => line.slice(0, 7)), ["line 4:", "line 4:", "line 5:"]);
  const cut = importEvents(dir, "cut.json");
  assert.equal(cut.code, 1);
  assert.match(cut.err, /ends in the middle of its array of events \(line 1\)/);
  for (const [name, code, why] of [["no.csv", 1, /JSON lines.*JSON array/], ["context.json", 1, /context for all/], ["late.json", 1, /taken without it/], ["cut.gz", 3, /not a whole gzip file: it ends in the middle/], ["nowhere.jsonl", 3, /No such file/], [".", 3, /is a folder/]]) {
    const refused = importEvents(dir, name);
    assert.equal(refused.code, code, `${name}: ${refused.out}${refused.err}`);
    assert.match(refused.err, why, name);
  }
  for (const name of ["empty.jsonl", "none.json"]) assert.match(importEvents(dir, name).out, /^0 events taken/, name);
  for (const [args, why] of [[["events"], /use it as/], [["event", "x"], /did you mean "events"/], [["what", "x"], /catalog FILE, or events/], [["events", "h.jsonl", "--complete"], /--complete does not belong to import events/], [["catalog", "h.jsonl", "--again"], /--again does not belong to import catalog/]]) {
    const wrong = run(["import", ...args], { cwd: dir });
    assert.equal(wrong.code, 2, wrong.err);
    assert.match(wrong.err, why);
  }
});

test("two equal lines are two events, and the same two when the file comes again", async (t) => {
  const line = JSON.stringify(view(undefined)), spaced = line.replaceAll('":', '" : '), other = JSON.stringify(view("", { event: "Other" }));
  const lines = [line, other, line, spaced, JSON.stringify(view("with")), line.replace('"v"', '"w"')].join("\n") + "\n";
  const dir = shopFolder(t, { "h.jsonl": lines, "more.jsonl": lines + line + "\n", "again.jsonl": [other, line, ...lines.split("\n").slice(3)].join("\n") });
  const taken = importEvents(dir, "h.jsonl");
  assert.match(taken.out, /^6 events taken/, taken.err);
  assert.match(importEvents(dir, "h.jsonl", "--again").out, /^0 events taken, 6 already there/, "the ids are the same ones");
  assert.match(importEvents(dir, "again.jsonl").out, /^0 events taken, 5 already there/, "in another order, too");
  const more = importEvents(dir, "more.jsonl");
  assert.match(more.err, /the first 6 events of it were imported before, until \d{4}-/);
  assert.match(more.out, /^1 events taken, 6 already there/, "a fourth one is another one");
  assert.match(importEvents(dir, "h.jsonl").out, /imported before, on \d{4}-\d\d-\d\d: nothing to do/, "the shorter file stays known");
  assert.match(importEvents(dir, "more.jsonl").out, /imported before/);
  assert.match(importEvents(dir, "h.jsonl", "--source", "till").out, /^6 events taken/, "another source has ids of its own");
  const shop = await serve(t, { "h.jsonl": lines, ...basicShop() }, {});
  assert.match(importEvents(shop.dir, "h.jsonl").out, /^6 events taken/);
  await shop.stop();
  assert.match(importEvents(shop.dir, "h.jsonl", "--again").out, /^0 events taken, 6 already there/, "the server gave the same ids");
});

const wait = (ms) => new Promise((done) => setTimeout(done, ms));
/** Runs the verb; kills it after so many ms. Answers {code, signal, out, err}. */
const importUntil = (dir, ms) => runUntil(["import", "events", join(dir, "h.jsonl"), "--shop", dir], ms);
async function runUntil(args, ms) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  let out = "", err = "";
  child.stdout.on("data", (text) => (out += text));
  child.stderr.on("data", (text) => (err += text));
  const timer = ms && setTimeout(() => child.kill("SIGKILL"), ms);
  const [code, signal] = await new Promise((done) => child.once("close", (...result) => done(result)));
  clearTimeout(timer);
  return { code, signal, out, err };
}
/** Some ids, some events without one, some lines twice, some bad ones. */
function roughLines(count) {
  return history(count, { seed: 11 }).flatMap((one, i) => {
    const line = JSON.stringify(i % 3 ? one : { ...one, messageId: undefined });
    return i % 50 === 7 ? [line, line] : i % 400 === 9 ? [line, "{bad"] : [line];
  });
}

/** A batch is several commits: what of it was durable when the verb was killed is there already when it goes on. */
function summed(out) {
  const [, before, taken, there, rest] = /^([^]*?)(\d+) events taken, (\d+) already there, ([^]*)$/.exec(out);
  return [before, Number(taken) + Number(there), rest];
}

test("kill -9 of the verb at any moment: the rest comes in, nothing twice", async (t) => {
  const rounds = Number(process.env.KILL_ROUNDS ?? 12), seed = Number(process.env.SEED ?? Date.now() % 100000), lines = roughLines(20000).join("\n") + "\n";
  let state = seed, kills = 0, done = 0;
  const random = (n) => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32) * n;
  const calm = shopFolder(t, { "h.jsonl": lines }), began = Date.now(), whole = await importUntil(calm), took = Date.now() - began;
  assert.equal(whole.code, 1, whole.err);
  const expected = everything(calm);
  while (kills < rounds) {
    const dir = shopFolder(t, { "h.jsonl": lines });
    for (let ran; ran?.code === undefined || ran.signal;) {
      ran = await importUntil(dir, 30 + random(took));
      kills += ran.signal === "SIGKILL";
      if (ran.signal) continue;
      if (/imported before/.test(ran.out)) assert.equal(ran.code, 0, ran.err);
      else assert.deepEqual([ran.code, summed(ran.out)], [1, summed(whole.out)], ran.err);
      const again = await importUntil(dir);
      assert.match(again.out, /^imported before/);
    }
    same(everything(dir), expected, `seed ${seed}, after ${kills} kills`);
    done++;
  }
  console.log(`property: seed ${seed}, ${kills} kills in ${done} imports of ${lines.split("\n").length} lines`);
});

test("kill -9 of the server: the verb says so, and goes on when it is there again", async (t) => {
  const lines = roughLines(15000).join("\n") + "\n", calm = shopFolder(t, { "h.jsonl": lines }), whole = await importUntil(calm);
  const shop = await serve(t, { ...basicShop(SHOP_WITH_CONSENT), "h.jsonl": lines });
  await shop.call("PUT", "/v1/catalog/items", products(60));
  let failures = 0;
  for (let ran; ran?.code !== 1;) {
    const importing = importUntil(shop.dir), isLast = failures === 4;
    if (!isLast) {
      await wait(60 + failures * 90);
      await shop.stop("SIGKILL");
    }
    ran = await importing;
    if (!isLast && ran.code !== 1) {
      failures++;
      assert.equal(ran.code, 3, ran.err);
      assert.match(ran.err, /did not answer|the same again goes on|tail of the log|another process|owned/);
      await shop.start();
    } else assert.deepEqual(summed(ran.out), summed(whole.out), ran.err);
  }
  assert.ok(failures > 0, "the server died meanwhile");
  if (shop.child) await shop.stop();
  same(everything(shop.dir), everything(calm), `after ${failures} kills`);
});

// ---- orders ----

const importOrders = (dir, file, ...more) => run(["import", "orders", file, ...(dir ? ["--shop", dir] : []), ...more]);
const uci = join(sharedData, "uci-online-retail");
/** A CSV read the plain way, by characters. */
function* csvRows(text) {
  let fields = [""], quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quoted && c === '"' && text[i + 1] === '"') fields[fields.length - 1] += text[++i];
    else if (c === '"' && (quoted || fields.at(-1) === "")) quoted = !quoted;
    else if (quoted) fields[fields.length - 1] += c;
    else if (c === ",") fields.push("");
    else if (c === "\n") {
      yield fields;
      fields = [""];
    } else if (c !== "\r") fields[fields.length - 1] += c;
  }
}
/** What the month holds, counted here: orders, refunds and money of each customer, and what names nobody. */
function countMonth(file) {
  const invoices = new Map(), people = new Map(), nobodys = { orders: 0, rows: 0 };
  let header = true;
  for (const [invoice, code, , quantity, date, price, customer] of csvRows(gunzipSync(readFileSync(file)).toString())) {
    if (header) {
      header = false;
      continue;
    }
    const one = invoices.get(invoice) ?? { customer: customer && String(Number(customer)), date, rows: 0, sold: 0, returned: 0, products: new Set(), hasSold: false };
    const q = Number(quantity), p = Number(price);
    one.rows++;
    if (q > 0) one.hasSold = true, one.sold += q * p, one.products.add(code);
    else one.returned -= q * p;
    invoices.set(invoice, one);
  }
  let orders = 0, refunds = 0;
  for (const [invoice, one] of invoices) {
    if (!one.customer) {
      nobodys.orders++;
      nobodys.rows += one.rows;
      continue;
    }
    const person = people.get(one.customer) ?? { count: 0, revenue: 0, refunded: 0, first: one.date, products: new Set() };
    if (invoice.startsWith("C")) refunds++, (person.refunded += one.returned - one.sold);
    else orders++, person.count++, (person.revenue += one.sold), one.products.forEach((code) => person.products.add(code));
    people.set(one.customer, person);
  }
  return { orders, refunds, people, nobodys };
}

test("a month of a real shop's orders: orders, refunds and people as counted another way", { skip: !existsSync(uci) && "skipped: no data" }, async (t) => {
  const file = join(uci, "online-retail-2011-03.csv.gz"), counted = countMonth(file), dir = shopFolder(t);
  assert.ok(counted.orders > 1000 && counted.refunds > 200 && counted.nobodys.orders > 100);
  const options = ["--timezone", "Europe/London", "--currency", "GBP"];
  const dry = importOrders(undefined, file, ...options, "--dry-run");
  assert.equal(dry.code, 0, dry.err);
  assert.match(dry.out, /^order \d+ of \d+ at 2011-03-01T\d\d:\d\d:00.000Z: [\d.]+ GBP\n( {4}[\d.]+ x \S+ at [\d.]+\n)+/);
  const sums = `${counted.orders} orders and ${counted.refunds} refunds in the file\n${counted.nobodys.orders} orders name nobody (${counted.nobodys.rows} rows): not taken\n`;
  assert.ok(dry.out.includes(sums), dry.out);
  assert.match(dry.err, /^UCI Online Retail's columns: order_id=InvoiceNo, at=InvoiceDate, user_id=CustomerID,.*times without an offset are of Europe\/London, ids with C are refunds\n/);
  const taken = importOrders(dir, file, ...options), total = counted.orders + counted.refunds;
  assert.deepEqual([taken.code, taken.out], [0, `${sums}${total} events taken, 0 already there, 0 withheld for want of consent, 0 rows not accepted\n`], taken.err);
  assert.match(importOrders(dir, file, ...options).out, new RegExp(`^imported before, on \\d{4}-\\d\\d-\\d\\d: nothing to do \\(${total} events`));
  assert.match(importOrders(dir, file, ...options, "--again").out, new RegExp(`0 events taken, ${total} already there`), "once more makes nothing twice");
  const shop = await serve(t, {}, { args: ["--data", join(dir, "data")] });
  for (const [customer, expected] of counted.people) {
    const { orders, products } = (await shop.get(`/v1/customers/by/user_id/${customer}`)).body, near = (a, b) => Math.abs(a - b) < 0.005;
    assert.equal(orders.count, expected.count, customer);
    assert.ok(near(orders.revenue, expected.revenue) && near(orders.refunded, expected.refunded), `${customer}: ${JSON.stringify(orders)} ${expected.revenue} ${expected.refunded}`);
    if (expected.products.size <= 50 && expected.count) assert.deepEqual(new Set(products.filter((one) => one.bought).map((one) => one.product)), expected.products);
  }
  const rest = rows(dir, "select count(distinct person) from identifier where kind = 'user_id'");
  assert.deepEqual(rest, [[counted.people.size]]);
  const [[at, body]] = rows(dir, `select at_ms, body from event where name = 'order_completed' and at_ms > ${Date.parse("2011-03-28")} limit 1`), id = JSON.parse(body).properties.order_id;
  const [, date, time] = new RegExp(`^${id},.*(2011-03-\\d\\d) (\\d\\d:\\d\\d:\\d\\d)`, "m").exec(gunzipSync(readFileSync(file)).toString());
  assert.equal(at, Date.parse(`${date}T${time}Z`) - 3600e3, "in summer time it was an hour earlier");
});

test("orders: columns are said, bad rows are said, a changed understanding is another import", (t) => {
  const csv = ["bestellung;wann;kunde;artikel;menge;preis", "1;01.12.2010 08:26;k1;A;2;1,50", "2;01.12.2010 09:00;k2;B;1;x", "1;01.12.2010 08:26;k1;C;1;0,75", "3;01.12.2010 10:00;;A;1;1", "", ";;k1;A;1;1"].join("\r\n");
  const dir = shopFolder(t, { "o.csv": csv, "empty.csv": "", "plain.csv": "a,b\n1,2\n", "gap.csv": 'order_id,at,user_id,price\n1,2020-01-01,u,1\n"2,2020' });
  const file = join(dir, "o.csv"), maps = ["order_id=bestellung", "at=wann", "user_id=kunde", "product_id=artikel", "quantity=menge", "price=preis"].flatMap((one) => ["--map", one]);
  const format = ["--at-format", "%d.%m.%Y %H:%M"];
  for (const [args, code, why] of [
    [[file], 2, /say which column is order_id: --map order_id=COLUMN; there are bestellung, wann/], [[file, ...maps, "--map", "prize=preis"], 2, /did you mean "price"/],
    [[file, ...maps, "--map", "price=preise"], 2, /there is no column "preise"/], [[file, ...maps, "--at-format", "%Q"], 2, /no format of times/], [[file, ...maps, "--timezone", "Europe/Londn"], 2, /no time zone "Europe\/Londn"/],
    [[join(dir, "empty.csv")], 1, /names of its columns|names of the columns/], [[join(dir, "plain.csv")], 2, /say which column is/], [[join(dir, "none.csv")], 3, /No such file/], [[file, "--complete"], 2, /--complete does not belong/],
  ]) {
    const refused = importOrders(dir, ...args);
    assert.equal(refused.code, code, `${args}: ${refused.out}${refused.err}`);
    assert.match(refused.err, why);
  }
  const taken = importOrders(dir, file, ...maps, ...format);
  assert.deepEqual([taken.code, taken.out], [1, "1 orders and 0 refunds in the file\n1 orders name nobody (1 rows): not taken\n1 events taken, 0 already there, 0 withheld for want of consent, 2 rows not accepted\n"], taken.err);
  assert.match(taken.err, /\nline 3: price "x" is no number; order 2 is not taken\nline 7: the row names no order\n/);
  assert.match(importOrders(dir, file, ...maps, ...format).out, /^imported before/);
  const again = importOrders(dir, file, ...maps, ...format, "--map", "quantity=");
  assert.match(again.err, /another event with this messageId/, "another understanding of the same order is not silently the same");
  const gap = importOrders(dir, join(dir, "gap.csv"));
  assert.deepEqual([gap.code, /line 3/.test(gap.err)], [1, true], gap.err);
});

test("orders: kill -9 at any moment, on and on: as if in one go", { skip: !existsSync(uci) && "skipped: no data" }, async (t) => {
  const csv = gunzipSync(readFileSync(join(uci, "online-retail-2011-01.csv.gz"))).toString(), args = (dir) => ["import", "orders", join(dir, "o.csv"), "--shop", dir, "--currency", "GBP"];
  const calm = shopFolder(t, { "o.csv": csv }), whole = run(args(calm)), seed = Number(process.env.SEED ?? Date.now() % 100000);
  let state = seed, kills = 0;
  const random = (n) => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32) * n;
  for (let i = 0; i < 3; i++) {
    const dir = shopFolder(t, { "o.csv": csv });
    for (let ran; ran?.code === undefined || ran.signal;) {
      ran = await runUntil(args(dir), 50 + random(700));
      kills += ran.signal === "SIGKILL";
      if (!ran.signal && !/^imported before/.test(ran.out)) assert.deepEqual(summed(ran.out), summed(whole.out));
    }
    same(everything(dir), everything(calm), `seed ${seed}, after ${kills} kills`);
  }
  console.log(`property: seed ${seed}, ${kills} kills`);
});
