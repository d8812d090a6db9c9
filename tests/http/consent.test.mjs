// SPDX-License-Identifier: Apache-2.0
//
// Consent from the wire to the list: what is taken from events, the endpoint and Sec-GPC, and what it does to storage, learning
// and rules. The table of docs/guide/consent.md is read out of the guide and tried cell by cell.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { basic, basicShop, KEYS, products, root, serve, SHOP, until } from "./harness.mjs";

const BLOCK = `consent {
  analytics       = { EU = "opt-in", US = "opt-out", elsewhere = "opt-in" },
  personalization = { EU = "opt-in", US = "opt-out", elsewhere = "opt-in" },
  email_marketing = { EU = "double opt-in", US = "opt-out", elsewhere = "opt-in", own_customers = "opt-out" },
  sms_marketing   = "opt-in",
}\n`;
const GPC = { "sec-gpc": "1" };
const consent = (categoryPreferences) => ({ context: { consent: { categoryPreferences } } });
const view = (id, more = {}) =>
  ({ type: "track", anonymousId: id, event: "Product Viewed", properties: { product_id: "SKU-1", secret: "xyzzy" }, ...more });
const batch = async (shop, events, headers) => {
  const answer = await shop.post("/v1/batch", { batch: events }, headers);
  assert.equal(answer.status, 200, answer.text);
  return answer.body.results.map((result) => result.status);
};
const of = (shop, id, kind = "anonymous_id") => shop.get(`/v1/customers/by/${kind}/${id}`);
const metric = async (shop, name) => Number(new RegExp(`^${name} (\\S+)`, "m").exec((await shop.get("/metrics")).text)[1]);
const timeline = async (shop, id) => (await shop.get(`/v1/customers/by/anonymous_id/${id}/timeline`)).body.events;

test("a consent object is recorded once as consent_updated, and again when it changes", async (t) => {
  const shop = await serve(t);
  for (let i = 0; i < 3; i++) assert.deepEqual(await batch(shop, [view("v", consent({ analytics: true, ads: false }))]), ["accepted"]);
  assert.deepEqual((await timeline(shop, "v")).map((event) => event.name),
    ["product_viewed", "product_viewed", "product_viewed", "consent_updated"]);
  await batch(shop, [view("v", consent({ analytics: true, ads: true }))]);
  const events = await timeline(shop, "v");
  assert.deepEqual(events.slice(0, 2).map((event) => event.name), ["product_viewed", "consent_updated"]);
  const { at, ...said } = events[1].properties;
  assert.ok(Date.parse(at));
  assert.deepEqual(said, { purpose: "ads", status: "granted", source: "context.consent", expires_at: null });
  const person = (await of(shop, "v")).body;
  assert.deepEqual(person.consent, { ads: "granted", analytics: "granted" });
  assert.equal(person.counts.product_viewed.total, 4);
  assert.equal(shop.log.split('consent to "ads" is recorded').length, 2, "told once");
});

test("without consent to analytics a count for the day, and nothing else", async (t) => {
  const shop = await serve(t, basicShop(SHOP + BLOCK));
  const single = await shop.post("/v1/track", view("nobody"));
  assert.equal(single.status, 200);
  assert.equal(single.body.success, true);
  assert.equal(single.body.status, "withheld");
  assert.match(single.body.message, /without consent to analytics/);
  assert.deepEqual(await batch(shop, [view("nobody"), view("no", consent({ analytics: false })), view("yes", consent({ analytics: true }))]),
    ["withheld", "withheld", "accepted"]);
  assert.equal((await of(shop, "nobody")).status, 404);
  const no = (await of(shop, "no")).body; /* who said no is known for that alone */
  assert.deepEqual([no.consent, Object.keys(no.counts), no.session, no.first_seen], [{ analytics: "denied" }, ["consent_updated"], {}, null]);
  assert.equal((await of(shop, "yes")).body.counts.product_viewed.total, 1);
  assert.equal(await metric(shop, "attune_events_withheld_total"), 3);
  assert.equal(await metric(shop, "attune_events_withheld_today"), 3);
  await shop.stop("SIGKILL");
  await shop.start();
  assert.equal(await metric(shop, "attune_events_withheld_today"), 3);
  await batch(shop, [view("nobody")]);
  assert.equal(await metric(shop, "attune_events_withheld_today"), 4);
  await shop.stop();
  const data = readFileSync(join(shop.dir, "data/attune.db"), "latin1");
  assert.equal(data.split("xyzzy").length, 3, "only the event that may be kept is, in the log and as the person's newest");
  assert.ok(!data.includes("nobody"));
});

test("of strangers who may not be analysed nothing stays in memory either", async (t) => {
  const shop = await serve(t, basicShop(SHOP + BLOCK));
  const bytes = async () => Number(/^attune_memory_bytes\{account="identity"\} (\d+)/m.exec((await shop.get("/metrics")).text)[1]);
  const send = async (from) => assert.deepEqual(new Set(await batch(shop, Array.from({ length: 2500 }, (_, i) => ({ ...view(`stranger-${from + i}`), messageId: `s-${from + i}` })))), new Set(["withheld"]));
  await send(0);
  const before = await bytes();
  for (let i = 1; i < 16; i++) await send(2500 * i);
  assert.equal(await bytes(), before);
  assert.equal(await metric(shop, "attune_events_withheld_today"), 40000);
});

test("without consent to personalization the event is kept and nothing learns from it", async (t) => {
  const shop = await serve(t, basicShop(SHOP + BLOCK));
  await shop.call("PUT", "/v1/catalog/items", products(3));
  await batch(shop, [view("a", consent({ analytics: true })), view("b", consent({ analytics: true, personalization: true }))]);
  const a = (await of(shop, "a")).body, b = (await of(shop, "b")).body;
  assert.deepEqual([a.counts.product_viewed.total, a.products, a.affinity], [1, [], {}]);
  assert.equal(b.products[0].views, 1);
  assert.ok(b.affinity.brand["Brand 0"] > 0);
  assert.equal(await metric(shop, "attune_events_unlearned_total"), 1);
});

test("the region comes from what is known of the person, and unknown is the strictest", async (t) => {
  const shop = await serve(t, basicShop(SHOP + BLOCK));
  const from = (country) => ({ context: { location: { country } } });
  assert.deepEqual(await batch(shop, [view("us", from("US")), view("de", from("DE")), view("jp", from("JP")), view("x")]),
    ["accepted", "withheld", "withheld", "withheld"]);
  assert.deepEqual(await batch(shop, [view("us")]), ["accepted"], "the profile remembers");
});

test("an unreadable consent object is a no to everything, and said so", async (t) => {
  for (const settings of [SHOP, SHOP + BLOCK]) {
    const shop = await serve(t, basicShop(settings));
    await batch(shop, [view("v", consent({ analytics: true, personalization: true }))]);
    const answer = await shop.post("/v1/batch", { batch: [view("v", { context: { consent: { categoryPreferences: { analytics: "true" } } } })] });
    assert.deepEqual(answer.body.results.map((one) => one.status), ["withheld"]);
    assert.match(answer.body.results[0].message, /categoryPreferences/);
    const person = (await of(shop, "v")).body;
    assert.equal(person.consent.analytics, "denied");
    assert.equal(person.consent.personalization, "denied");
    assert.equal(await metric(shop, "attune_consent_unreadable_total"), 1);
    assert.deepEqual(await batch(shop, [view("w", consent({}))]), ["withheld"], "no category is no");
  }
});

test("the endpoint records for the whole person, durable when it is answered", async (t) => {
  const shop = await serve(t, basicShop(KEYS + BLOCK));
  const secret = basic("sk_first_1");
  await shop.post("/v1/identify", { userId: "ann", traits: { email: "Ann@Example.com" }, ...consent({ analytics: true }) }, secret);
  const path = "/v1/customers/by/email/ann%40example.com/consent";
  const body = { purpose: "email_marketing", status: "granted", channel: "email", source: "footer form", wording: "v3" };
  assert.equal((await shop.post(path, body, basic("wk_first_1"))).status, 403);
  let answer = await shop.post(path, body, secret);
  assert.deepEqual([answer.status, answer.body], [200, { success: true, purpose: "email_marketing", state: "granted", allowed: false }]);
  answer = await shop.post(path, { ...body, proof: { confirmed: true, ip: "192.0.2.0" } }, secret);
  assert.equal(answer.body.allowed, true);
  await shop.stop("SIGKILL");
  await shop.start();
  const person = (await shop.get("/v1/customers/by/user_id/ann", secret)).body;
  assert.equal(person.consent.email_marketing, "granted");
  const said = person.consent_statements.filter((one) => one.purpose === "email_marketing");
  assert.deepEqual(said.map(({ at, ...one }) => one), [{ purpose: "email_marketing", status: "granted", channel: "email", of: "person",
    source: "footer form", wording: "v3", confirmed: true, expires_at: null }]);
  const event = (await shop.get(`/v1/customers/${person.id}/timeline`, secret)).body.events[0];
  assert.equal(event.name, "consent_updated");
  assert.deepEqual(event.properties.proof, { confirmed: true, ip: "192.0.2.0" });
  for (const [wrong, field] of [[{ status: "granted" }, "purpose"], [{ ...body, status: "grant" }, "status"], [{ ...body, at: "soon" }, "at"],
    [{ ...body, expires_at: "2001-01-01" }, "expires_at"], [{ ...body, proof: true }, "proof"], [{ ...body, channel: 7 }, "channel"],
    [{ ...body, at: "2999-01-01" }, "at"], [{ ...body, wording: "w".repeat(201) }, "wording"]]) {
    answer = await shop.post(path, wrong, secret);
    assert.equal(answer.status, 422, answer.text);
    assert.equal(answer.body.error.field, field);
  }
  assert.equal((await shop.post("/v1/customers/by/user_id/bob/consent", body, secret)).status, 404);
});

test("one that ends ends, and what was said before holds again", async (t) => {
  const shop = await serve(t);
  await batch(shop, [view("v")]);
  const soon = new Date(Date.now() + 700).toISOString();
  const path = "/v1/customers/by/anonymous_id/v/consent";
  await shop.post(path, { purpose: "sms_marketing", status: "denied" });
  await new Promise((done) => setTimeout(done, 5));
  const answer = await shop.post(path, { purpose: "sms_marketing", status: "granted", expires_at: soon });
  assert.deepEqual([answer.body.state, answer.body.allowed], ["granted", true]);
  await until(async () => (await of(shop, "v")).body.consent.sms_marketing === "denied");
});

test("Sec-GPC: 1 is a no of this browser to profiling and sale, until a later yes of this browser", async (t) => {
  const shop = await serve(t);
  await shop.call("PUT", "/v1/catalog/items", products(3));
  let answer = await shop.post("/v1/track", view("v"), GPC);
  assert.equal(answer.body.gpc, "honoured");
  assert.equal((await shop.post("/v1/track", view("other"), { "sec-gpc": "true" })).body.gpc, undefined);
  let person = (await of(shop, "v")).body;
  assert.deepEqual([person.consent, person.affinity, person.products], [{ personalization: "denied", sale: "denied" }, {}, []]);
  assert.ok(person.consent_statements.every((one) => one.gpc && one.source === "Sec-GPC" && one.of === "browser"));
  assert.deepEqual((await of(shop, "other")).body.consent, {});
  /* the known person, and another browser of theirs */
  await shop.post("/v1/identify", { anonymousId: "v", userId: "ann" }, GPC);
  await shop.post("/v1/identify", { anonymousId: "phone", userId: "ann" });
  assert.equal((await of(shop, "ann", "user_id")).body.consent.personalization, "denied");
  /* a later yes wins for that browser alone, though the signal goes on */
  await batch(shop, [view("v", consent({ personalization: true }))], GPC);
  person = (await of(shop, "ann", "user_id")).body;
  assert.equal(person.consent.personalization, "granted");
  assert.ok(person.consent_statements.some((one) => one.purpose === "personalization" && one.status === "granted"));
  await batch(shop, [view("v")], GPC);
  assert.equal((await of(shop, "v")).body.consent.personalization, "granted");
  await batch(shop, [view("phone")], GPC);
  assert.equal((await of(shop, "v")).body.consent.personalization, "denied", "the strictest of the browsers");
  assert.ok(await metric(shop, "attune_gpc_requests_total") >= 4);
});

test("a word from before the signal does not answer it; the consent event does", async (t) => {
  const shop = await serve(t);
  await batch(shop, [view("v", consent({ personalization: true }))]);
  await batch(shop, [view("v", consent({ personalization: true }))], GPC);
  await batch(shop, [view("v", consent({ personalization: true }))], GPC);
  assert.equal((await of(shop, "v")).body.consent.personalization, "denied");
  await batch(shop, [{ type: "track", anonymousId: "v", event: "Segment Consent Preference Updated", ...consent({ personalization: true }) }], GPC);
  assert.equal((await of(shop, "v")).body.consent.personalization, "granted");
  const events = await timeline(shop, "v");
  assert.deepEqual([events[0].name, events[0].event], ["consent_updated", "Segment Consent Preference Updated"]);
});

test("/.well-known/gpc.json says that the signal is honoured", async (t) => {
  const shop = await serve(t);
  const answer = await shop.get("/.well-known/gpc.json");
  assert.equal(answer.status, 200);
  assert.equal(answer.body.gpc, true);
  assert.match(answer.body.lastUpdate, /^\d{4}-\d\d-\d\d$/);
});

test("on a merge the strictest holds, and a start folds the same", async (t) => {
  const shop = await serve(t, basicShop(SHOP + BLOCK));
  await batch(shop, [view("one", consent({ analytics: true, personalization: true })), view("two", consent({ analytics: true, personalization: false }))]);
  await batch(shop, [{ type: "identify", anonymousId: "one", userId: "ann" }, { type: "identify", anonymousId: "two", userId: "ann" }]);
  const person = (await of(shop, "ann", "user_id")).body;
  assert.deepEqual(person.consent, { analytics: "granted", personalization: "denied" });
  await shop.stop("SIGKILL");
  await shop.start();
  assert.deepEqual((await of(shop, "ann", "user_id")).body.consent_statements, person.consent_statements);
  const split = await shop.post(`/v1/customers/${person.id}/unmerge`, { identifier: { kind: "anonymous_id", value: "two" } });
  assert.equal(split.status, 200, split.text);
  assert.equal((await of(shop, "one")).body.consent.personalization, "granted");
  assert.equal((await of(shop, "two")).body.consent.personalization, "denied");
});

const TASTE = 'ranking "collection" { score = function(product, customer) return product.affinity + (customer.orders.count or -1) / 100 end }\n';
const scores = async (shop, customer, headers, more = {}) => {
  const answer = await shop.post("/v1/rank", { customer, ranking: "collection", items: ["SKU-1", "SKU-2", "SKU-3"], ...more }, headers);
  assert.equal(answer.status, 200, answer.text);
  return answer.body;
};
const score = (answer, id) => answer.items.find((item) => item.id === id).score;

test("a decision reads nothing learned where personalization is no, and its explanation says so", async (t) => {
  const shop = await serve(t, { ...basicShop(SHOP + BLOCK), "scripts/rankings/collection.lua": TASTE });
  await shop.call("PUT", "/v1/catalog/items", products(3));
  const all = { analytics: true, personalization: true };
  await batch(shop, [view("v", consent(all)), view("v", consent(all))]);
  const v = { anonymous_id: "v" };
  const first = await scores(shop, v);
  assert.ok(score(first, "SKU-1") > 0.05);
  await batch(shop, [view("v", consent({ ...all, personalization: false }))]);
  let answer = await scores(shop, v, {}, { explain: true });
  assert.equal(score(answer, "SKU-1"), -0.01);
  assert.match(answer.withheld, /personalization is not allowed/);
  assert.equal(answer.items[0].features.affinity, 0);
  assert.match((await shop.get(`/v1/decisions/${answer.decision}`)).body.withheld, /personalization/);
  assert.equal(score(await scores(shop, v, {}, { decision: first.decision }), "SKU-1"), -0.01, "page 2 of before does not read it again");
  await batch(shop, [view("v", consent(all))]);
  assert.ok(score(await scores(shop, v), "SKU-1") > 0.05, "what was learned with consent is there again");
  assert.ok(await metric(shop, "attune_decisions_unpersonal_total") >= 2);
});

test("Sec-GPC on a decision holds for it, until a yes of that browser; the answer says so", async (t) => {
  const shop = await serve(t, { ...basicShop(), "scripts/rankings/collection.lua": TASTE });
  await shop.call("PUT", "/v1/catalog/items", products(3));
  await batch(shop, [view("v"), view("v")]);
  const v = { anonymous_id: "v" };
  assert.ok(score(await scores(shop, v), "SKU-1") > 0.05);
  let answer = await scores(shop, v, GPC);
  assert.deepEqual([answer.gpc, score(answer, "SKU-1")], ["honoured", -0.01]);
  answer = await shop.post("/v1/decide", { customer: v, ask: { a: { ranking: "collection", where: {} } } }, GPC);
  assert.equal(answer.body.gpc, "honoured");
  await batch(shop, [view("v")], GPC);
  assert.equal(score(await scores(shop, v), "SKU-1"), -0.01, "recorded by an event, it holds without the header");
  await batch(shop, [view("v", consent({ personalization: true }))], GPC);
  assert.ok(score(await scores(shop, v, GPC), "SKU-1") > 0.05);
});

test("a taste that is never used is 0 in every rule", async (t) => {
  const block = BLOCK.replace("}\n", 'never_use = { "category.category-0" } }\n').replaceAll('"opt-in"', '"opt-out"');
  const only = 'ranking "collection" { score = function(product, customer) return customer.affinity.category[product.category] end }\n';
  for (const [settings, is] of [[SHOP, (value) => value > 0], [SHOP + block, (value) => value === 0]]) {
    const shop = await serve(t, { ...basicShop(settings), "scripts/rankings/collection.lua": only });
    await shop.call("PUT", "/v1/catalog/items", products(3));
    await batch(shop, [view("v"), view("v")]);
    const value = score(await scores(shop, { anonymous_id: "v" }), "SKU-1");
    assert.ok(is(value), `${value}`);
  }
});

/* ---- the guide's tables ---- */

const guide = readFileSync(join(root, "docs/guide/consent.md"), "utf8");
const SETTINGS = SHOP + /```lua\n(consent \{[^]*?)```/.exec(guide)[1];
const REGIONS = { EU: "DE", US: "US", elsewhere: "JP", "not known": undefined };
const [EVENTS, MESSAGES] = [...guide.matchAll(/^\| purpose \| they said (.*)\n\|[-|]+\n((?:\|.*\n)+)/gm)].map(([, head, rows]) => {
  const regions = head.split("|").map((one) => one.trim()).filter(Boolean);
  return rows.trim().split("\n").flatMap((row) => {
    const [purpose, said, ...cells] = row.split("|").slice(1, -1).map((one) => one.trim());
    return cells.map((cell, i) => ({ purpose, said, region: regions[i], cell }));
  });
});
const from = (region) => (REGIONS[region] ? { location: { country: REGIONS[region] } } : {});

test("every cell of the guide's table of events", async (t) => {
  assert.equal(EVENTS.length, 24);
  /* what is known from before: without a block everything may be learned */
  const shop = await serve(t, { ...basicShop(SHOP), "scripts/rankings/collection.lua": TASTE });
  await shop.call("PUT", "/v1/catalog/items", products(3));
  const cells = EVENTS.map((one, i) => ({ ...one, id: `cell-${i}` }));
  for (let k = 0; k < 3; k++) await batch(shop, cells.map((one) => view(one.id, { context: from(one.region) })));
  const crowd = Array.from({ length: 400 }, (_, i) => view(`crowd-${i}`, { properties: { product_id: "SKU-3" } })); /* who like something else */
  await batch(shop, crowd);
  await shop.stop();
  writeFileSync(join(shop.dir, "shop.lua"), SETTINGS);
  await shop.start();
  for (const one of cells) {
    const other = one.purpose === "analytics" ? "personalization" : "analytics";
    const words = { [other]: true, ...(one.said === "nothing" ? {} : { [one.purpose]: one.said === "granted" }) };
    const event = { type: "track", anonymousId: one.id, event: "Product Added", properties: { product_id: "SKU-2" }, context: { ...from(one.region), ...consent(words).context } };
    const [status] = await batch(shop, [event]);
    const person = (await of(shop, one.id)).body;
    const added = person.counts.product_added?.total ?? 0;
    assert.equal(added, status === "accepted" ? 1 : 0);
    const is = [status === "accepted" ? "kept" : "counted"];
    if (person.products.some((met) => met.product === "SKU-2" && met.adds === 1)) is.push("learned");
    if (score(await scores(shop, { anonymous_id: one.id }), "SKU-1") > 0.02) is.push("read");
    assert.equal(is.join(", "), one.cell, `${one.purpose}, ${one.said}, ${one.region}`);
  }
});

test("every cell of the guide's table of messages", async (t) => {
  assert.equal(MESSAGES.length, 40);
  const rule = (purpose) => `ranking "${purpose}" { score = function(product, customer) return customer:may "${purpose}" and 1 or 0 end }\n`;
  const shop = await serve(t, { ...basicShop(SETTINGS), "scripts/may.lua": ["email_marketing", "sms_marketing", "sale"].map(rule).join("") });
  await shop.call("PUT", "/v1/catalog/items", products(1));
  for (const [i, one] of MESSAGES.entries()) {
    const id = `cell-${i}`, all = { ...from(one.region), ...consent({ analytics: true, personalization: true }).context };
    const ordered = one.said.endsWith("has ordered");
    await batch(shop, [{ type: "track", anonymousId: id, event: ordered ? "Order Completed" : "Signed Up", properties: { order_id: id, revenue: 1 }, context: all }]);
    const word = one.said.split(",")[0];
    if (word !== "nothing") {
      const said = { purpose: one.purpose, status: word === "denied" ? "denied" : "granted", ...(word === "confirmed" ? { proof: { confirmed: true } } : {}) };
      const answer = await shop.post(`/v1/customers/by/anonymous_id/${id}/consent`, said);
      assert.equal(answer.body.allowed, one.cell === "yes", `${one.purpose}, ${one.said}, ${one.region}: ${answer.text}`);
    }
    const list = await scores(shop, { anonymous_id: id }, {}, { ranking: one.purpose });
    assert.equal(score(list, "SKU-1") === 1 ? "yes" : "no", one.cell, `${one.purpose}, ${one.said}, ${one.region}`);
  }
});

test("the start says which rules hold", async (t) => {
  const plain = await serve(t);
  assert.match(plain.log, /no consent block in shop\.lua/);
  const shop = await serve(t, basicShop(SHOP + BLOCK));
  assert.match(shop.log, /analytics opt-in in the EU, opt-out in the US, opt-in elsewhere/);
});
