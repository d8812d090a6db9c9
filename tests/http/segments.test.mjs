// SPDX-License-Identifier: Apache-2.0
//
// Segments from the script to the list, the timeline and the table of members.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { basicShop, folder, products, run, serve, SHOP, until } from "./harness.mjs";

const VIP = `segment "vip" {
  when = function(customer)
    return customer.orders.count >= 2 or customer.orders.revenue >= 1000
  end,
}\n`;
/** A list that shows by its order whether somebody is in a segment. */
const shows = (name) => `ranking "${name}" {
  score = function(product, customer)
    if customer:in_segment "${name}" then return product.price end
    return -product.price
  end,
}\n`;
const shop = (scripts, settings = SHOP) => ({ ...basicShop(settings), "scripts/segments.lua": scripts });
const order = (id, n, more = {}) => ({
  type: "track", anonymousId: id, event: "Order Completed", properties: { order_id: `${id}-${n}`, revenue: 10, products: [] }, ...more,
});
async function isIn(server, name, customer, more = {}) {
  const answer = await server.post("/v1/rank", { customer, ranking: name, where: {}, limit: 1, ...more });
  assert.equal(answer.status, 200, answer.text);
  return answer.body.items[0].id === "SKU-5";
}
async function start(t, scripts, options) {
  const server = await serve(t, shop(scripts, options?.settings), options);
  assert.equal((await server.call("PUT", "/v1/catalog/items", products(5))).status, 200);
  return server;
}

test("an order that is answered puts its person into the segment for the next decision", async (t) => {
  const server = await start(t, VIP + shows("vip"));
  assert.equal(await isIn(server, "vip", { anonymous_id: "a" }), false);
  await server.post("/v1/track", order("a", 1));
  assert.equal(await isIn(server, "vip", { anonymous_id: "a" }), false);
  await server.post("/v1/track", order("a", 2));
  assert.equal(await isIn(server, "vip", { anonymous_id: "a" }), true);
  assert.equal(await isIn(server, "vip", { anonymous_id: "somebody else" }), false);
  /* the secret key may ask as of another moment */
  const lately = `segment "lately" { when = function(customer) return now() - customer.orders.last_at < days(7) end }\n`;
  assert.equal((await server.call("PUT", "/v1/scripts/scripts/lately.lua", lately + shows("lately"), { "content-type": "text/plain" })).status, 200);
  const at = (days) => ({ at: new Date(Date.now() + days * 86400e3).toISOString() });
  assert.equal(await isIn(server, "lately", { anonymous_id: "a" }), true);
  assert.equal(await isIn(server, "lately", { anonymous_id: "a" }, at(6.9)), true);
  assert.equal(await isIn(server, "lately", { anonymous_id: "a" }, at(7.1)), false);
});

test("without consent to personalization somebody is in no segment", async (t) => {
  const server = await start(t, `segment "all" { when = function(customer) return true end }\n` + shows("all"));
  assert.equal(await isIn(server, "all", undefined), true);
  const no = { context: { consent: { categoryPreferences: { personalization: false } } } };
  await server.post("/v1/track", { type: "track", anonymousId: "no", event: "Looked", ...no });
  assert.equal(await isIn(server, "all", { anonymous_id: "no" }), false);
});

test("a segment that fails reads as no, is counted and said with its line; an unknown one does not publish", async (t) => {
  const server = await start(t, `segment "bad" {\n  when = function(customer) return customer.traits.tier > 3 end,\n}\n` + shows("bad"));
  await server.post("/v1/identify", { anonymousId: "a", traits: { tier: "gold" } });
  assert.equal(await isIn(server, "bad", { anonymous_id: "a" }), false);
  assert.match((await server.get("/metrics")).text, /^attune_segment_failures_total [1-9]/m);
  assert.match(server.log, /segment "bad": scripts\/segments\.lua:2: /);
  const refused = await server.call("PUT", "/v1/scripts/scripts/more.lua", shows("bda"), { "content-type": "text/plain" });
  assert.equal(refused.status, 422);
  assert.equal(refused.body.error.message, 'scripts/more.lua:3:28  there is no segment "bda" — did you mean "bad"?');
});

// ---- members that are kept ----

const of = async (server, id, kind = "anonymous_id") => (await server.get(`/v1/customers/by/${kind}/${id}`)).body;
const names = async (server, id, kind) => (await of(server, id, kind)).segments.map((one) => one.name);
const moves = async (server, id, kind = "anonymous_id") =>
  (await server.get(`/v1/customers/by/${kind}/${id}/timeline?limit=1000`)).body.events
    .filter((event) => event.name.startsWith("segment_"))
    .map((event) => `${event.name.slice(8)} ${event.properties.segment}`).reverse();
const members = async (server, name) => (await server.get(`/v1/segments/${name}`)).body.count;
const row = async (server, name) => (await server.get("/v1/segments")).body.segments.find((one) => one.name === name);
const events = (server, list) => server.post("/v1/batch", { batch: list }).then((answer) => {
  assert.ok(answer.body.results.every((result) => result.status === "accepted"), answer.text);
});
const refund = (id, n) => ({ type: "track", anonymousId: id, event: "Order Refunded", properties: { order_id: `${id}-${n}` } });
const RICH = `segment "rich" { when = function(customer) return customer.orders.revenue >= 10 end }\n`;

test("entering and leaving are events in the person's own stream, and no visit", async (t) => {
  const server = await start(t, RICH);
  await server.post("/v1/track", { type: "track", anonymousId: "a", event: "Product Viewed", properties: { product_id: "SKU-1" } });
  const before = await of(server, "a");
  assert.deepEqual(before.segments, []);
  await server.post("/v1/track", order("a", 1));
  const inside = await of(server, "a");
  assert.deepEqual(inside.segments.map((one) => one.name), ["rich"]);
  assert.ok(Math.abs(Date.parse(inside.segments[0].since) - Date.now()) < 20000);
  assert.deepEqual(await moves(server, "a"), ["entered rich"]);
  await server.post("/v1/track", refund("a", 1));
  assert.deepEqual(await names(server, "a"), []);
  await server.post("/v1/track", order("a", 2));
  assert.deepEqual(await names(server, "a"), ["rich"]);
  assert.deepEqual(await moves(server, "a"), ["entered rich", "left rich", "entered rich"], "coming back is an event of its own");
  const after = await of(server, "a");
  assert.equal(after.sessions, before.sessions);
  assert.equal(after.session.events, 4, "what the person did, no more");
  for (const [value, taste] of Object.entries(before.affinity.brand)) assert.ok(Math.abs(after.affinity.brand[value] - taste) < 1e-4);
  assert.equal(after.counts.segment_entered.total, 2);
  const text = (await server.get("/metrics")).text;
  assert.match(text, /^attune_segment_entered_total 2$/m);
  assert.match(text, /^attune_segment_left_total 1$/m);
  const event = (await server.get("/v1/customers/by/anonymous_id/a/timeline?limit=1")).body.events[0];
  assert.deepEqual([event.event, event.name, event.properties, event.source], ["Segment Entered", "segment_entered", { segment: "rich" }, "attune"]);
  const own = await server.post("/v1/track", { type: "track", anonymousId: "a", event: "Segment Entered", properties: { segment: "rich" } });
  assert.equal(own.status, 400);
  assert.equal(own.body.error.code, "own_event");
});

test("the live stream shows who enters", async (t) => {
  const server = await start(t, RICH);
  const stream = await fetch(`${server.url}/v1/live`);
  let text = "";
  (async () => { for await (const part of stream.body) text += Buffer.from(part).toString(); })().catch(() => {});
  await until(() => text.includes("event: hello"));
  await server.post("/v1/track", order("a", 1));
  await until(() => /"name":"segment_entered","timestamp":"[^"]+","properties":\{"segment":"rich"\}/.test(text));
});

test("who is in a segment is listed, who came last first, page by page", async (t) => {
  const server = await start(t, RICH + `segment "all" { when = function(customer) return true end }\n`);
  const ids = Array.from({ length: 7 }, (_, i) => `p${i}`);
  for (const id of ids) await server.post("/v1/track", order(id, 1));
  await until(async () => (await members(server, "rich")) === 7);
  const known = new Map();
  for (const id of ids) known.set((await of(server, id)).id, id);
  const seen = [];
  let cursor = "", pages = 0;
  do {
    const page = (await server.get(`/v1/segments/rich?limit=3${cursor}`)).body;
    assert.equal(page.count, 7);
    seen.push(...page.members.map((one) => [known.get(one.id), one.since]));
    cursor = page.next && `&cursor=${encodeURIComponent(page.next)}`;
    pages++;
  } while (cursor);
  assert.equal(pages, 3);
  assert.deepEqual(seen.map(([id]) => id).sort(), ids);
  assert.deepEqual(seen.map(([, since]) => since), seen.map(([, since]) => since).sort().reverse());
  const rich = await row(server, "rich");
  assert.deepEqual([rich.count, rich.entered_24h, rich.script, rich.failures, rich.recheck_ms], [7, 7, "scripts/segments.lua:1", 0, 0]);
  assert.ok(Date.parse(rich.checked_at));
  assert.equal((await server.get("/v1/segments/rihc")).body.error.message, 'there is no segment "rihc" — did you mean "rich"?');
  assert.equal((await server.get("/v1/segments/rich?cursor=x")).status, 400);
});

const LAPSED = `segment "lapsed" { when = function(customer) return now() - customer.orders.last_at > days(30) end }
segment "fresh" { when = function(customer) return now() - customer.orders.last_at <= days(30) end }\n`;
const NOW = Date.parse("2026-11-26T10:00:00Z"), DAY = 86400e3;
const imported = (id, n, at) => ({ ...order(id, n), timestamp: new Date(at).toISOString() });

test("what time alone changes changes at that very millisecond", async (t) => {
  const server = await start(t, LAPSED, { args: ["--now", new Date(NOW).toISOString()] });
  const last = NOW - 30 * DAY + 4000;
  assert.equal((await server.post("/v1/import", { batch: [imported("a", 1, last), imported("old", 1, NOW - 300 * DAY)] })).status, 200);
  assert.deepEqual(await names(server, "a"), ["fresh"]);
  assert.deepEqual(await names(server, "old"), ["lapsed"]);
  const all = (await server.get("/v1/segments")).body;
  assert.ok(Date.parse(all.due) <= last + 30 * DAY + 1 && Date.parse(all.due) > last + 30 * DAY - 20, all.due);
  await until(async () => (await moves(server, "a")).includes("entered lapsed"));
  const person = await of(server, "a");
  assert.deepEqual(person.segments, [{ name: "lapsed", since: new Date(last + 30 * DAY + 1).toISOString() }]);
  const timeline = (await server.get("/v1/customers/by/anonymous_id/a/timeline")).body.events;
  const entered = timeline.find((event) => event.name === "segment_entered" && event.properties.segment === "lapsed");
  assert.equal(entered.timestamp, person.segments[0].since);
  const late = Date.parse(entered.received_at) - Date.parse(entered.timestamp);
  assert.ok(late >= 0 && late < 5000, `noticed ${late} ms later`);
  assert.equal((await server.get("/v1/segments")).body.due, null, "nobody is due any more");
});

test("what happened while attune was down is found, each at its own moment", async (t) => {
  const band = `segment "band" { when = function(customer)
    return (now() - customer.orders.last_at):between("30d", "31d")
  end }\n`;
  const server = await start(t, band, { args: ["--now", new Date(NOW).toISOString()] });
  const last = NOW - 29 * DAY;
  await server.post("/v1/import", { batch: [imported("a", 1, last)] });
  assert.deepEqual(await names(server, "a"), []);
  await server.stop();
  server.args[1] = new Date(NOW + 10 * DAY).toISOString();
  await server.start();
  await until(async () => (await moves(server, "a")).length === 2);
  assert.deepEqual(await moves(server, "a"), ["entered band", "left band"]);
  const [left, entered] = (await server.get("/v1/customers/by/anonymous_id/a/timeline")).body.events;
  assert.deepEqual([entered.timestamp, left.timestamp], [last + 30 * DAY, last + 31 * DAY + 1].map((at) => new Date(at).toISOString()));
  assert.equal(await members(server, "band"), 0);
});

test("after kill -9 nobody's entry is lost and none is doubled", async (t) => {
  const server = await start(t, RICH);
  for (let round = 0; round < 4; round++) {
    const batch = [];
    for (let i = 0; i < 200; i++) batch.push(order(`r${round}-${i}`, 1));
    await events(server, batch);
    await new Promise((done) => setTimeout(done, round * 60));
    await server.stop("SIGKILL");
    await server.start();
  }
  await until(async () => (await members(server, "rich")) === 800);
  for (let round = 0; round < 4; round++)
    for (let i = 0; i < 200; i += 23) assert.deepEqual(await moves(server, `r${round}-${i}`), ["entered rich"]);
  assert.equal((await row(server, "rich")).count, 800);
  await server.stop();
  await server.start();
  assert.equal((await row(server, "rich")).count, 800, "as stored");
});

test("two people who become one are in what holds for both; taken apart each has its own", async (t) => {
  const server = await start(t, VIP);
  await server.post("/v1/track", order("a", 1));
  await server.post("/v1/track", order("b", 1));
  assert.deepEqual(await names(server, "a"), []);
  await server.post("/v1/identify", { anonymousId: "a", userId: "ann" });
  await server.post("/v1/identify", { anonymousId: "b", userId: "ann" });
  assert.deepEqual(await names(server, "ann", "user_id"), ["vip"]);
  assert.deepEqual(await moves(server, "ann", "user_id"), ["entered vip"]);
  const apart = await server.post("/v1/customers/by/user_id/ann/unmerge", { identifier: { kind: "anonymous_id", value: "b" } });
  assert.equal(apart.status, 200, apart.text);
  assert.deepEqual([await names(server, "ann", "user_id"), await names(server, "b")], [[], []]);
  assert.equal(await members(server, "vip"), 0);
  /* both were in it: one membership, since the earlier */
  for (const id of ["c", "d"]) for (const n of [1, 2]) await server.post("/v1/track", order(id, n));
  const since = (await of(server, "c")).segments[0].since;
  await names(server, "d");
  assert.equal(await members(server, "vip"), 2);
  await server.post("/v1/identify", { anonymousId: "c", userId: "cid" });
  await server.post("/v1/identify", { anonymousId: "d", userId: "cid" });
  assert.deepEqual((await of(server, "cid", "user_id")).segments, [{ name: "vip", since }]);
  assert.equal(await members(server, "vip"), 1);
  assert.deepEqual(await moves(server, "cid", "user_id"), ["entered vip", "entered vip"], "what each did before stays");
});

test("who withdraws consent leaves; who may not be analysed leaves no trace of it", async (t) => {
  const server = await start(t, RICH);
  const say = (id, consent) => server.post("/v1/track", { type: "track", anonymousId: id, event: "Looked", context: { consent: { categoryPreferences: consent } } });
  for (const id of ["p", "q"]) await server.post("/v1/track", order(id, 1));
  assert.deepEqual([await names(server, "p"), await names(server, "q")], [["rich"], ["rich"]]);
  await say("p", { personalization: false });
  assert.deepEqual(await names(server, "p"), []);
  assert.deepEqual(await moves(server, "p"), ["entered rich", "left rich"]);
  await say("q", { analytics: false, personalization: false });
  assert.deepEqual(await names(server, "q"), []);
  assert.deepEqual(await moves(server, "q"), ["entered rich"], "leaving it is not recorded");
  assert.equal(await members(server, "rich"), 0);
  await say("p", { personalization: true });
  assert.deepEqual(await names(server, "p"), ["rich"]);
});

test("a condition nobody can foresee is asked again after recheck", async (t) => {
  const server = await start(t, `segment "even" { when = function(customer) return math.floor(now() / minutes(1)) % 2 == 0 end, recheck = "1m" }\n`);
  await server.post("/v1/track", { type: "track", anonymousId: "a", event: "Looked" });
  await names(server, "a");
  const even = await row(server, "even"), due = (await server.get("/v1/segments")).body.due;
  assert.equal(even.recheck_ms, 60000);
  assert.ok(Math.abs(Date.parse(due) - Date.now() - 60000) < 20000, due);
});

test("a segment that overruns for everybody is set aside, its members stay", async (t) => {
  const server = await start(t, RICH);
  await server.post("/v1/track", order("a", 1));
  assert.deepEqual(await names(server, "a"), ["rich"]);
  const put = await server.call("PUT", "/v1/scripts/scripts/segments.lua", `segment "rich" { when = function(customer)
  while customer.orders.count > 0 do end
  return true
end }\n`, { "content-type": "text/plain" });
  assert.equal(put.status, 200, put.text);
  await until(async () => (await row(server, "rich")).failures > 0);
  for (let i = 0; i < 25; i++) await server.post("/v1/track", order(`b${i}`, 1));
  await until(async () => (await row(server, "rich")).set_aside, { within: 30000 });
  const rich = await row(server, "rich");
  assert.equal(rich.count, 1);
  assert.match(rich.error, /^scripts\/segments\.lua:2: stopped: it ran longer than 100 ms/);
  assert.deepEqual(await names(server, "a"), ["rich"]);
  assert.match(server.log, /segment "rich" overran 20 times in a row/);
});

// ---- a publish that changes segments ----

const scripts = (server, text, more = {}) => server.post("/v1/scripts", { files: { "scripts/segments.lua": text }, ...more });
const revenue = (least) => `segment "rich" { when = function(customer) return customer.orders.revenue >= ${least} end }\n`;
const said = (answer) => answer.body.warnings.map((one) => `${one.path}:${one.line} ${one.message}`);

test("a changed segment says how many enter and leave before it goes live", async (t) => {
  const server = await start(t, revenue(30));
  const people = [];
  for (let i = 0; i < 12; i++) for (let n = 0; n <= i % 6; n++) people.push(order(`p${i}`, n));
  await events(server, people); /* 10 to 60, two people each */
  await until(async () => (await members(server, "rich")) === 8);
  const checked = await server.post("/v1/scripts/check", { files: { "scripts/segments.lua": revenue(50) } });
  assert.deepEqual(said(checked), ["scripts/segments.lua:1 rich: 0 enter, 4 leave"]);
  assert.equal((await row(server, "rich")).count, 8, "only checked");
  const published = await scripts(server, revenue(20) + `segment "new" { when = function(customer) return customer.orders.count == 1 end }\n`);
  assert.deepEqual(said(published), ["scripts/segments.lua:2 new: 2 enter, 0 leave", "scripts/segments.lua:1 rich: 2 enter, 0 leave"]);
  assert.match(server.log, /reload: rich: 2 enter, 0 leave/);
  await until(async () => (await members(server, "rich")) === 10 && (await members(server, "new")) === 2);
  assert.deepEqual(await moves(server, "p1"), ["entered rich"]);
  /* nothing that decides was changed: nothing is said */
  const same = await scripts(server, `-- said otherwise\n${revenue(20)}segment "new" { when = function(customer) return customer.orders.count == 1 end }\n`);
  assert.deepEqual(said(same), []);
  /* what a segment asks for decides, too; one that fails says so; one that is gone lets its members go */
  const asks = await scripts(server, revenue(60) + `segment "all" { when = function(customer) return customer:in_segment "rich" end }\n`);
  assert.deepEqual(said(asks), ["scripts/segments.lua:2 all: 2 enter, 0 leave", "scripts/segments.lua:1 rich: 0 enter, 8 leave",
    "scripts/segments.lua:3 new: 0 enter, 2 leave: it is declared no longer"]);
  await until(async () => (await server.get("/v1/segments/new")).status === 404);
  assert.deepEqual(await moves(server, "p0"), ["entered new", "left new"]);
  const fails = await scripts(server, `local function least() return { 3 } end\nsegment "rich" { when = function(customer) return customer.orders.count < least() end }\n`);
  assert.match(said(fails)[0], /rich: 0 enter, 0 leave; it fails for 12, whose membership stays \(scripts\/segments\.lua:2: /);
  assert.equal((await row(server, "rich")).count, 2);
});

test("back to an earlier generation says it, too, and a save is told in the log", async (t) => {
  const server = await start(t, revenue(10));
  await events(server, [order("a", 1), order("b", 1), order("b", 2)]);
  await until(async () => (await members(server, "rich")) === 2);
  const first = (await server.get("/ready")).body.generation;
  writeFileSync(join(server.dir, "scripts/segments.lua"), revenue(20));
  await until(async () => (await members(server, "rich")) === 1);
  assert.match(server.log, /reload: rich: 0 enter, 1 leave/);
  const back = await server.post(`/v1/generations/${first}/activate`, {});
  assert.deepEqual(said(back), ["scripts/segments.lua:1 rich: 1 enter, 0 leave"]);
  await until(async () => (await members(server, "rich")) === 2);
  assert.deepEqual(await moves(server, "a"), ["entered rich", "left rich", "entered rich"]);
});

test("everybody is looked at again after a restart in the middle of it", async (t) => {
  const server = await start(t, revenue(1e9));
  for (let i = 0; i < 3; i++) await events(server, Array.from({ length: 1000 }, (_, n) => order(`s${i * 1000 + n}`, 1)));
  await until(async () => (await server.get("/v1/segments")).body.waiting === 0);
  assert.deepEqual(said(await scripts(server, revenue(10))), ["scripts/segments.lua:1 rich: 3000 enter, 0 leave"]);
  await server.stop("SIGKILL");
  await server.start();
  await until(async () => (await members(server, "rich")) === 3000);
  for (let i = 0; i < 3000; i += 311) assert.deepEqual(await moves(server, `s${i}`), ["entered rich"]);
});

test("attune segments and attune check say it in the terminal", async (t) => {
  const server = await start(t, revenue(10) + `segment "tastes" { when = function(customer)
  return customer.affinity.brand["Brand 1"] > 0.5
end }\n`);
  await events(server, [order("a", 1), order("b", 1)]);
  await until(async () => (await members(server, "rich")) === 2);
  const table = run(["segments", "--shop", server.dir]).out.split("\n");
  assert.match(table[0], /^segment +people +entered 24h +script$/);
  assert.match(table[1], /^rich +2 +2 {2}scripts\/segments\.lua:1$/);
  assert.match(table[2], /^tastes +0 +0 {2}scripts\/segments\.lua:2 {2}asked again every 24h00m$/);
  assert.match(table[3], /^Time alone changes somebody's next at 20/);
  assert.equal(JSON.parse(run(["segments", "--shop", server.dir, "--json"]).out).segments.length, 2);
  const other = folder(t, { "shop.lua": SHOP, "scripts/segments.lua": revenue(99) });
  const checked = run(["check", other, "--data", join(server.dir, "data")]);
  assert.equal(checked.code, 0, checked.out + checked.err);
  assert.match(checked.out, /^segment {2}rich +scripts\/segments\.lua:1 {2}at the moment it happens$/m);
  assert.match(checked.out, /^once it serves, segment rich: 0 enter, 2 leave$/m);
  const alone = run(["check", server.dir, "--data", join(other, "none")]);
  assert.match(alone.out, /^segment {2}tastes +scripts\/segments\.lua:2 {2}asked again every 24h00m: line 3, "customer\.affinity" changes nobody knows when; recheck = "1h" asks more often$/m);
  assert.match(alone.out, /2 segments: good$/m);
});

test("a count that takes long is cut, says of how many it is, and holds nobody up", async (t) => {
  const server = await start(t, RICH);
  for (let i = 0; i < 8; i++) await events(server, Array.from({ length: 1000 }, (_, n) => order(`s${i * 1000 + n}`, 1)));
  const slow = `segment "slow" { when = function(customer)
  local sum = 0
  for i = 1, 400000 do sum = sum + i end
  return sum > 0
end }\n`;
  const begin = performance.now();
  let is_over = false;
  const checked = server.post("/v1/scripts/check", { files: { "scripts/slow.lua": slow } }).finally(() => (is_over = true));
  await new Promise((done) => setTimeout(done, 500));
  /* two people become one meanwhile: that is the back worker's, too */
  await server.post("/v1/identify", { anonymousId: "s1", userId: "u" });
  await server.post("/v1/identify", { anonymousId: "s2", userId: "u" });
  assert.deepEqual((await of(server, "u", "user_id")).identifiers.map((one) => one.value).sort(), ["s1", "s2", "u"]);
  assert.equal(is_over, false, "all of that while it is counted");
  const { message } = (await checked).body.warnings[0];
  const [, enter, seen] = /^slow: (\d+) enter, 0 leave; of (\d+) people looked at, about [\d.]+ % of all$/.exec(message) ?? [];
  assert.ok(enter === seen && Number(seen) > 20 && Number(seen) < 7900, message);
  assert.ok(performance.now() - begin < 12000);
});
