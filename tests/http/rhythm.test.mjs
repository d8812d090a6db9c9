// SPDX-License-Identifier: Apache-2.0
//
// The typical interval between purchases: the shop's is the same for every order of arrival, follows people who are joined, erased or
// do not agree, and moves segments that read it.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { basicShop, forget, serve, SHOP, until } from "./harness.mjs";

const NOW = Date.parse("2026-11-26T10:00:00Z"), DAY = 86400e3;
const args = ["--now", new Date(NOW).toISOString()];
const at = (ms) => ({ timestamp: new Date(ms).toISOString() });
const track = (who, event, properties, ms, more = {}) => ({ type: "track", ...who, event, properties, messageId: `m${track.count++}`, ...at(ms), ...more });
track.count = 0;
const ordered = (who, id, ms, more) => track(who, "Order Completed", { order_id: id, revenue: 20, products: [] }, ms, more);
const by = (id) => ({ anonymousId: id });

async function take(server, events) {
  for (let i = 0; i < events.length; i += 100) {
    const answer = await server.post("/v1/import", { batch: events.slice(i, i + 100) });
    assert.equal(answer.status, 200, answer.text);
    assert.ok(answer.body.results.every((one) => one.status === "accepted"), answer.text);
  }
}
const person = async (server, id, kind = "anonymous_id") => (await server.get(`/v1/customers/by/${kind}/${id}`)).body;
const interval = async (server, id, kind) => (await person(server, id, kind)).orders.typical_interval_days;
const shops = async (server) => Number(/^attune_typical_interval_days (\d+)$/m.exec((await server.get("/metrics")).text)[1]);
const comesTo = (server, days) => until(async () => (await shops(server)) === days);
/** People with two orders `days` apart. */
const couples = (count, days, name = "couple") => Array.from({ length: count }, (_, i) => [
  ordered(by(`${name}-${i}`), `${name}-${i}-1`, NOW - 100 * DAY), ordered(by(`${name}-${i}`), `${name}-${i}-2`, NOW - (100 - days) * DAY),
]).flat();

// ---- the same for every order of arrival, against a model ----

let seed = Number(process.env.ATTUNE_SEED ?? 0x9147);
const random = (below) => {
  seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
  return Math.floor((seed / 2 ** 32) * below);
};
const shuffled = (list) => {
  const out = [...list];
  for (let i = out.length - 1; i > 0; i--) {
    const j = random(i + 1);
    [out[i], out[j]] = [out[j], out[i]];
  }
  return out;
};

/** What somebody did, and the days on which they bought something that stayed theirs. */
function life(i) {
  const anonymous = random(3) ? [`a${i}`] : [`a${i}`, `b${i}`], events = [], days = new Set();
  const start = random(60), step = 1 + random(25);
  for (let n = 0, count = random(6); n < count; n++) {
    const day = start + n * step + random(4), when = NOW - 300 * DAY + day * DAY + random(DAY - 10 * 3600e3), id = `o${i}-${n}`;
    const who = () => by(anonymous[random(anonymous.length)]);
    for (let copies = 1 + random(2); copies > 0; copies--) events.push(ordered(who(), id, when));
    const fate = random(8);
    if (fate === 0) events.push(track(who(), "Order Cancelled", { order_id: id }, when + 60e3));
    if (fate === 1) events.push(track(who(), "Order Refunded", { order_id: id, refund_id: `r${id}` }, when + 5 * DAY));
    if (fate === 2) events.push(track(who(), "Order Refunded", { order_id: id, refund_id: `p${id}`, amount: 5 }, when + 5 * DAY));
    if (fate > 1) days.add(Math.floor(when / DAY));
  }
  for (const id of anonymous) events.push({ type: "identify", anonymousId: id, userId: `u${i}`, traits: {}, messageId: `i-${id}`, ...at(NOW - DAY) });
  const bought = [...days].sort((a, b) => a - b);
  return { id: `u${i}`, events, gaps: Math.max(0, bought.length - 1), days: bought.length ? bought.at(-1) - bought[0] : 0 };
}

test("the shop's interval and everyone's are those of the model, in whatever order the events come", async (t) => {
  console.log(`# property: two orders of arrival, seed ${seed}`);
  const people = Array.from({ length: 80 }, (_, i) => life(i));
  const means = people.filter((one) => one.gaps).map((one) => Math.round(one.days / one.gaps)).sort((a, b) => a - b);
  const shop = means[Math.floor((means.length - 1) / 2)];
  assert.ok(means.length > 30 && shop > 1, `${means.length} people buy again, each ${shop} days`);
  const events = people.flatMap((one) => one.events);
  for (let round = 0; round < 2; round++) {
    const server = await serve(t, basicShop(), { args });
    await take(server, shuffled(events));
    await comesTo(server, shop);
    for (const one of people) {
      const typical = await interval(server, one.id, "user_id");
      assert.ok(Math.abs(typical - (shop + one.days) / (1 + one.gaps)) < 1e-6, `${one.id}: ${typical}, ${JSON.stringify(one)}`);
    }
    await server.stop(round ? "SIGKILL" : "SIGTERM");
    await server.start();
    await comesTo(server, shop);
    await server.stop();
    forget(server.dir); /* and folded anew out of the log */
    await server.start();
    await comesTo(server, shop);
    await server.stop();
  }
});

// ---- whom it is made of ----

test("of fewer than twenty people who bought again there is none; then who ordered once has the shop's", async (t) => {
  const server = await serve(t, basicShop(), { args });
  await take(server, [...couples(19, 10), ordered(by("once"), "once-1", NOW - 5 * DAY), ordered(by("twice"), "t1", NOW - 40 * DAY)]);
  assert.equal(await interval(server, "couple-3"), 10, "the person's own is all there is");
  assert.equal(await interval(server, "once"), null);
  await take(server, [ordered(by("twice"), "t2", NOW - 10 * DAY)]);
  await comesTo(server, 10);
  assert.equal(await interval(server, "once"), 10);
  assert.equal(await interval(server, "twice"), 20);
  assert.equal(await interval(server, "couple-3"), 10);
});

test("who is erased, or says no to personalization, is not among them", async (t) => {
  const server = await serve(t, basicShop(), { args });
  const no = { context: { consent: { categoryPreferences: { personalization: false } } } };
  await take(server, [...couples(10, 5, "fast"), ...couples(11, 50, "slow")]);
  await comesTo(server, 50);
  await take(server, [track(by("slow-1"), "Looked", {}, NOW - DAY, no)]);
  await comesTo(server, 5);
  assert.equal((await server.call("DELETE", "/v1/customers/by/anonymous_id/fast-1")).status, 200);
  await comesTo(server, 0);
  assert.equal(await interval(server, "fast-2"), 5, "of nineteen there is none: the person's own");
});

test("days are the shop's: another time zone counts everybody anew", async (t) => {
  const server = await serve(t, basicShop(), { args });
  const late = Date.parse("2026-07-01T23:00:00Z"); // the 2nd in Berlin
  const events = Array.from({ length: 24 }, (_, i) => [ordered(by(`p${i}`), `p${i}-1`, late - 10 * DAY), ordered(by(`p${i}`), `p${i}-2`, late - 20 * 3600e3)]).flat();
  await take(server, events);
  await comesTo(server, 10); // 21 June, and 1 July 03:00
  await server.stop();
  writeFileSync(join(server.dir, "shop.lua"), SHOP.replace("UTC", "Europe/Berlin"));
  await server.start();
  await comesTo(server, 9); // 22 June 01:00, and 1 July 05:00
  assert.equal(await interval(server, "p7"), 9);
});

/** The folder as schema 5 left it. */
function makeOld(dir) {
  const text = `import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
for name in ("came", "left", "changed"): db.execute("drop trigger rhythm_" + name)
db.execute("drop table rhythm")
db.execute("alter table profile drop column rhythm_days")
db.execute("delete from state where name = 'rhythm'")
db.execute("pragma user_version = 5")
db.commit()`;
  const ran = spawnSync("python3", ["-c", text, join(dir, "data/attune.db")], { encoding: "utf8" });
  assert.equal(ran.status, 0, ran.stderr);
}

test("a folder from before people were counted is counted when it is opened, slice by slice, also after a kill", async (t) => {
  const server = await serve(t, basicShop(), { args });
  await take(server, couples(700, 12));
  await comesTo(server, 12);
  await server.stop();
  makeOld(server.dir);
  for (const wait of [0, 30, 60]) {
    await server.start();
    await new Promise((done) => setTimeout(done, wait));
    await server.stop("SIGKILL");
  }
  await server.start();
  assert.match((await server.get("/metrics")).text, /^attune_typical_interval_days (0|12)$/m, "nothing of half of them");
  await comesTo(server, 12);
  assert.equal(await interval(server, "couple-699"), 12);
});

// ---- segments ----

/** The language page's, word for word. */
const LAPSING = `segment "lapsing" {
  when = function(customer)
    return customer.has_ordered and customer.orders.since_last > 1.5 * customer.orders.typical_interval
  end,
}\n`;
const names = async (server, id) => (await person(server, id)).segments.map((one) => one.name);

test("somebody lapses at the millisecond that their own rhythm says", async (t) => {
  const server = await serve(t, { ...basicShop(), "scripts/segments.lua": LAPSING }, { args });
  const last = NOW - 15 * DAY + 4000;
  await take(server, [ordered(by("a"), "1", last - 10 * DAY), ordered(by("a"), "2", last), ordered(by("once"), "3", NOW - 300 * DAY)]);
  assert.deepEqual(await names(server, "a"), []);
  assert.deepEqual(await names(server, "once"), [], "nobody knows how often people buy here");
  await until(async () => (await names(server, "a")).length === 1);
  const { segments } = await person(server, "a");
  assert.deepEqual(segments, [{ name: "lapsing", since: new Date(last + 15 * DAY + 1).toISOString() }]);
  await take(server, [ordered(by("a"), "4", NOW)]);
  assert.deepEqual(await names(server, "a"), []);
});

test("when the shop's interval moves, everybody is looked at again", async (t) => {
  const server = await serve(t, { ...basicShop(), "scripts/segments.lua": LAPSING }, { args });
  await take(server, [...couples(20, 80), ordered(by("once"), "once-1", NOW - 40 * DAY)]);
  await comesTo(server, 80);
  assert.deepEqual(await names(server, "once"), []);
  const once = (await person(server, "once")).id;
  const isIn = async () => (await server.get("/v1/segments/lapsing")).body.members.find((one) => one.id === once);
  assert.equal(await isIn(), undefined);
  await take(server, couples(30, 20, "fast"));
  await until(isIn);
  assert.ok(Date.parse((await isIn()).since) - NOW < 60e3, "since the shop's interval is another");
  await server.stop();
  await server.start();
  assert.ok(await isIn(), "kept over a restart");
  await comesTo(server, 20);
  await new Promise((done) => setTimeout(done, 1000));
  assert.doesNotMatch(server.log, /people were looked at/, "nothing is different: nobody is looked at again");
  await take(server, couples(40, 90, "slow"));
  await until(async () => !(await isIn()));
  assert.deepEqual(
    (await server.get("/v1/customers/by/anonymous_id/once/timeline")).body.events.filter((one) => one.name.startsWith("segment_")).map((one) => one.name),
    ["segment_left", "segment_entered"]);
});
