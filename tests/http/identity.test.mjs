// SPDX-License-Identifier: Apache-2.0
//
// Who is who, as a shop sees it: people are found by any identifier, joined by evidence, taken apart again for good; what the
// rules do not allow is left out of the event; a public key joins nobody who should not be. Random lives against a model are in
// people.test.mjs.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { basic, basicShop, bearer, KEYS, products, run, serve } from "./harness.mjs";

const ids = (customer) => customer.identifiers.map((one) => `${one.kind}:${one.value}`).sort();
const by = (name) => `/v1/customers/by/${name.replace(":", "/").replace(/[^/]+$/, encodeURIComponent)}`;

test("a laptop that was somebody else's is taken away: both people are as if they had never met", async (t) => {
  const shop = await serve(t);
  await shop.call("PUT", "/v1/catalog/items", products(10));
  const track = (who, event, properties = {}) => shop.post("/v1/track", { ...who, event, properties });
  const laptop = { anonymousId: "laptop-1" }, mobile = { anonymousId: "mobile-1" };
  for (let i = 0; i < 3; i++) await track(laptop, "Product Viewed", { product_id: "SKU-1" });
  await track(mobile, "Product Viewed", { product_id: "SKU-2" });
  await shop.post("/v1/identify", { ...mobile, userId: "ann", traits: { email: "Ann@Example.com" } });
  const before = { ann: (await shop.get(by("user_id:ann"))).body, laptop: (await shop.get(by("anonymous_id:laptop-1"))).body };
  await shop.post("/v1/identify", { ...laptop, userId: "ann", messageId: "sign-in" });
  await track(laptop, "Order Completed", { order_id: "1", revenue: 40, products: [{ product_id: "SKU-3", price: 40 }] });
  const joined = (await shop.get(by("anonymous_id:laptop-1"))).body;
  assert.equal(joined.id, before.ann.id);
  assert.deepEqual(ids(joined), ["anonymous_id:laptop-1", "anonymous_id:mobile-1", "email:ann@example.com", "user_id:ann"]);
  assert.equal(joined.counts.product_viewed.total, 4);
  const evidence = (await shop.get(by("user_id:ann") + "/identity")).body;
  const link = evidence.links.find((one) => [one.a.value, one.b.value].sort().join() === "ann,laptop-1");
  assert.deepEqual([link.message_id, link.event, link.revoked], ["sign-in", "identified", undefined]);
  assert.equal(evidence.merges.length, 1);
  assert.equal(evidence.merges[0].gone, before.laptop.id);
  assert.equal((await shop.get(`/v1/customers/${before.laptop.id}`)).body.id, joined.id, "who was merged is found by the old id");

  const answer = await shop.post(`/v1/customers/${joined.id}/unmerge`, { identifier: { kind: "anonymous_id", value: "laptop-1" } });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.body.kept, joined.id);
  const kept = (await shop.get(`/v1/customers/${answer.body.kept}`)).body, split = (await shop.get(`/v1/customers/${answer.body.split}`)).body;
  assert.deepEqual(ids(kept), ids(before.ann));
  assert.deepEqual(ids(split), ["anonymous_id:laptop-1"]);
  for (const field of ["orders", "products", "traits", "basket", "first_seen", "last_seen", "sessions"]) assert.deepEqual(kept[field], before.ann[field], field);
  assert.deepEqual([split.counts.product_viewed.total, split.orders.count, split.orders.revenue], [3, 1, 40]);
  const timeline = (await shop.get(by("anonymous_id:laptop-1") + "/timeline")).body.events;
  assert.deepEqual([timeline.length, timeline.every((one) => one.message_id !== "m")], [5, true]);

  /* the same evidence does not join them again: the event belongs to who is signed in */
  await shop.post("/v1/identify", { ...laptop, userId: "ann", traits: { tier: "gold" } });
  assert.equal((await shop.get(by("anonymous_id:laptop-1"))).body.id, split.id);
  assert.equal((await shop.get(by("user_id:ann"))).body.traits.tier, "gold");
  assert.match((await shop.get("/metrics")).text, /attune_identifiers_barred_total 1\nattune_|attune_identifiers_barred_total 1\n/);
  /* nor by a way round: another address of both */
  await shop.post("/v1/identify", { ...laptop, userId: undefined, traits: { email: "shared@example.com" } });
  await shop.post("/v1/identify", { ...mobile, traits: { email: "shared@example.com" } });
  const now = (await shop.get(by("user_id:ann"))).body;
  assert.ok(!ids(now).includes("anonymous_id:laptop-1"), ids(now).join());
  await shop.stop();
  await shop.start();
  assert.equal((await shop.get(by("anonymous_id:laptop-1"))).body.id, split.id);
  await shop.post("/v1/identify", { ...laptop, userId: "ann" });
  assert.equal((await shop.get(by("anonymous_id:laptop-1"))).body.id, split.id, "also after a restart");
  assert.equal((await shop.get(`/v1/customers/${before.laptop.id}`)).body.id, joined.id);
  const told = (await shop.get(by("user_id:ann") + "/identity")).body.links.filter((one) => one.revoked);
  assert.deepEqual(told.map((one) => one.revoked.by), ["default"]);
});

test("what only the identifier holds goes with it; what cannot be taken apart is said", async (t) => {
  const shop = await serve(t);
  await shop.post("/v1/identify", { anonymousId: "phone", userId: "ann" });
  await shop.post("/v1/identify", { anonymousId: "laptop", userId: "ann" });
  await shop.post("/v1/identify", { anonymousId: "laptop", traits: { email: "bob@example.com" } });
  const unmerge = (where, identifier) => shop.post(`${where}/unmerge`, { identifier });
  const wrong = [[by("user_id:nobody"), { kind: "email", value: "a@b.c" }, 404, "unknown_customer"], [by("user_id:ann"), { kind: "email", value: "else@example.com" }, 404, "not_theirs"],
    [by("user_id:ann"), { kind: "hat", value: "x" }, 404, "not_theirs"], [by("user_id:ann"), { kind: "email" }, 400, "no_identifier"], [by("user_id:ann"), undefined, 400, "no_identifier"]];
  for (const [where, identifier, status, code] of wrong) {
    const answer = await unmerge(where, identifier);
    assert.deepEqual([answer.status, answer.body.error.code], [status, code], answer.text);
  }
  const answer = await unmerge(by("user_id:ann"), { kind: "anonymous_id", value: "laptop" });
  const [kept, split] = [(await shop.get(`/v1/customers/${answer.body.kept}`)).body, (await shop.get(`/v1/customers/${answer.body.split}`)).body];
  assert.deepEqual([ids(kept), ids(split)], [["anonymous_id:phone", "user_id:ann"], ["anonymous_id:laptop", "email:bob@example.com"]]);
  /* an address that the account named, too, stays with the account */
  await shop.post("/v1/identify", { anonymousId: "tablet", traits: { email: "cat@example.com" } });
  await shop.post("/v1/identify", { anonymousId: "tablet", userId: "cat" });
  await shop.post("/v1/identify", { userId: "cat", traits: { email: "cat@example.com" } });
  const cat = await unmerge(by("user_id:cat"), { kind: "anonymous_id", value: "tablet" });
  assert.deepEqual(ids((await shop.get(`/v1/customers/${cat.body.kept}`)).body), ["email:cat@example.com", "user_id:cat"]);
  await shop.post("/v1/identify", { anonymousId: "desk", userId: "dora" });
  const dora = await unmerge(by("user_id:dora"), { kind: "anonymous_id", value: "desk" });
  assert.deepEqual([ids((await shop.get(by("user_id:dora"))).body), dora.status], [["user_id:dora"], 200]);
  const emptied = await shop.post(`/v1/customers/${dora.body.kept}/consent`, { purpose: "email_marketing", status: "granted" });
  assert.equal(emptied.status, 200, `somebody whose events all left is somebody still: ${emptied.text}`);
  await shop.post("/v1/track", { anonymousId: "alone", event: "A" });
  const alone = await unmerge(by("anonymous_id:alone"), { kind: "anonymous_id", value: "alone" });
  assert.deepEqual([alone.status, alone.body.error.code], [422, "only_one"]);
});

test("a shared computer, a shared address, a bad id: nobody becomes somebody else", async (t) => {
  const shop = await serve(t);
  const identify = (anonymousId, userId, traits = {}) => shop.post("/v1/identify", { anonymousId, userId, traits });
  await identify("kiosk", "ann");
  await identify("kiosk", "bob");
  await shop.post("/v1/track", { anonymousId: "kiosk", event: "Signed Out" });
  const [ann, bob] = [(await shop.get(by("user_id:ann"))).body, (await shop.get(by("user_id:bob"))).body];
  assert.notEqual(ann.id, bob.id);
  assert.deepEqual(ids(bob), ["user_id:bob"]);
  /* six addresses: the sixth is left out, the event is kept */
  for (let i = 0; i < 6; i++) assert.equal((await identify("phone", "cat", { email: `cat${i}@example.com`, last: i })).status, 200);
  const cat = (await shop.get(by("user_id:cat"))).body;
  assert.equal(ids(cat).filter((one) => one.startsWith("email:")).length, 5);
  assert.equal(cat.traits.last, 5);
  assert.equal((await shop.get(by("email:cat5@example.com"))).status, 404);
  /* an innocent browser joins, though the address belongs to somebody else */
  await identify("fresh", "bob", { email: "cat0@example.com" });
  assert.deepEqual(ids((await shop.get(by("user_id:bob"))).body), ["anonymous_id:fresh", "user_id:bob"]);
  assert.equal((await shop.get(by("email:cat0@example.com"))).body.id, cat.id);
  const metrics = (await shop.get("/metrics")).text;
  assert.match(metrics, /attune_identifiers_over_limit_total 3\n/);
});

test("before and after the sign-in are one visit", async (t) => {
  const shop = await serve(t);
  await shop.post("/v1/page", { anonymousId: "v", context: { campaign: { source: "letter" } } });
  await shop.post("/v1/page", { anonymousId: "v" });
  await shop.post("/v1/identify", { anonymousId: "v", userId: "ann" });
  await shop.post("/v1/page", { userId: "ann" });
  const ann = (await shop.get(by("user_id:ann"))).body;
  assert.deepEqual([ann.sessions, ann.session.pages, ann.session.source], [1, 3, "letter"]);
});

test("the same events in any order make the same people", async (t) => {
  const shop = await serve(t);
  await shop.call("PUT", "/v1/catalog/items", products(12));
  const seed = Number(process.env.SEED ?? Date.now() % 1e6), runs = Number(process.env.RUNS ?? 40), begin = Date.now() - 20 * 86400e3;
  let state = seed;
  const random = (below) => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8) % below;
  const names = ["Product Viewed", "Product Added", "Order Completed", "Order Refunded", "Signed In"];
  const streams = [];
  for (let run = 0; run < runs; run++) {
    const events = Array.from({ length: 40 }, (_, i) => {
      const person = random(4), event = names[random(names.length)], order_id = `${person}-${random(5)}`;
      const who = random(3) ? { anonymousId: `a${person}-${random(3)}` } : { anonymousId: `a${person}-${random(3)}`, userId: `u${person}` };
      const one = { product_id: `SKU-${1 + random(12)}`, price: 5, quantity: 1 };
      const properties = event === "Order Completed" ? { order_id, revenue: 10 + random(5), products: [one] } : event === "Order Refunded" ? { order_id, refund_id: `${order_id}-r`, total: 3 } : one;
      return { ...who, event, properties, type: "track", messageId: `${i}`, timestamp: new Date(begin + i * 3600e3).toISOString() };
    });
    /* an order or refund that comes twice counts once, whichever came first: leave one of each */
    const seen = new Set();
    const once = events.filter(({ event, properties: { order_id } }) => !order_id || (!seen.has(event + order_id) && seen.add(event + order_id)));
    const shuffled = [...once];
    for (let i = shuffled.length; i-- > 1;) shuffled.push(...shuffled.splice(random(i + 1), 1));
    streams.push([once, [...once].reverse(), shuffled]);
    for (const [k, list] of streams[run].entries()) {
      const own = (text) => text && `${run}-${k}-${text}`;
      const batch = list.map((one) => ({ ...one, anonymousId: own(one.anonymousId), userId: own(one.userId), messageId: own(one.messageId),
        properties: { ...one.properties, ...(one.properties.order_id ? { order_id: own(one.properties.order_id), refund_id: own(one.properties.refund_id) } : {}) } }));
      const answer = await shop.post("/v1/import", { batch });
      assert.ok(answer.body.results.every((one) => one.status === "accepted"), answer.text);
    }
  }
  await new Promise((done) => setTimeout(done, 4000)); /* tastes and intervals are drawn towards everyone's, which settle within that */
  for (let run = 0; run < runs; run++) {
    const worlds = [];
    for (const [k, list] of streams[run].entries()) {
      const own = (text) => text && `${run}-${k}-${text}`, world = {};
      for (const one of list)
        for (const [kind, value] of [["anonymous_id", one.anonymousId], ["user_id", one.userId]]) {
          if (!value) continue;
          const got = (await shop.get(by(`${kind}:${own(value)}`))).body, plain = (text) => text.replaceAll(`${run}-${k}-`, "");
          const counts = Object.fromEntries(Object.entries(got.counts).map(([name, { within_7d, last, ...rest }]) =>
            [name, { ...rest, last: last && JSON.parse(JSON.stringify(last).replaceAll(`"${run}-${k}-`, '"')) }]).sort());
          const affinity = Object.fromEntries(Object.entries(got.affinity).map(([facet, values]) => [facet, Object.fromEntries(Object.entries(values).sort())]).sort());
          world[`${kind}:${value}`] = { identifiers: ids(got).map(plain), counts, orders: got.orders, affinity, acquired: got.acquired, first_seen: got.first_seen, last_seen: got.last_seen,
            bought: got.products.map((one) => [one.product, one.views, one.adds, one.bought]).sort() };
        }
      worlds.push(world);
    }
    const near = (a, b, where) => {
      if (typeof a === "number" && typeof b === "number") return assert.ok(Math.abs(a - b) <= 1e-6 /* read a moment apart */, `${where}: ${a} and ${b}`);
      if (a === null || typeof a !== "object") return assert.equal(b, a, where);
      assert.deepEqual(Object.keys(b).sort(), Object.keys(a).sort(), where);
      for (const key of Object.keys(a)) near(a[key], b[key], `${where}.${key}`);
    };
    for (const other of worlds.slice(1)) near(worlds[0], other, `seed ${seed}, run ${run}`);
  }
  const rehearsed = (await shop.post("/v1/identity/rehearse")).body;
  assert.deepEqual([rehearsed.joined.count, rehearsed.split.count, rehearsed.identifiers], [0, 0, { gone: 0, new: 0 }], `the rules as they are change nothing, seed ${seed}`);
  console.log(`property: orders of arrival, seed ${seed}, ${runs} streams in 3 orders`);
});

test("identifiers are written the one way, and a shop has kinds of its own", async (t) => {
  const settings = `shop "test" { currency = "EUR", timezone = "UTC", country = "DE" }
identity { kinds = { loyalty_id = { at_most = 1 } }, blocked = { "kasse@example.com" }, fold_mailboxes = true }\n`;
  const shop = await serve(t, basicShop(settings));
  const identify = (body) => shop.post("/v1/identify", body);
  await identify({ userId: "ann", traits: { phone: "0171 234 56 78", email: " Ann.B+shop@GoogleMail.com ", loyalty_id: "L-1" } });
  const ann = (await shop.get(by("user_id:ann"))).body;
  assert.deepEqual(ids(ann), ["email:annb@gmail.com", "loyalty_id:L-1", "phone:+491712345678", "user_id:ann"]);
  for (const name of ["phone:+49 (171) 2345678", "phone:0171-2345678", "email:annb@gmail.com", "loyalty_id:L-1"]) assert.equal((await shop.get(by(name))).body.id, ann.id, name);
  await identify({ anonymousId: "app", context: { externalIds: [{ id: "x", type: "ga_client" }, { id: "L-1", type: "loyalty_id", collection: "users", encoding: "none" }] } });
  assert.equal((await shop.get(by("anonymous_id:app"))).body.id, ann.id, "of another system");
  await identify({ userId: "bob", traits: { email: "info@b\u00fccher.example" } });
  assert.deepEqual(ids((await shop.get(by("email:INFO@b\u00fccher.example"))).body), ["email:info@xn--bcher-kva.example", "user_id:bob"]);
  const list = await shop.post("/v1/rank", { customer: { loyalty_id: "L-1" }, ranking: "collection", where: {}, explain: true });
  assert.equal(list.status, 200, list.text);
  /* of those who name nobody no person is made */
  for (const traits of [{ email: "kasse@example.com" }, { email: "no-mail" }, { phone: "1111111111" }, { phone: "12" }, { loyalty_id: "null" }]) await identify({ userId: "cat", traits });
  assert.deepEqual(ids((await shop.get(by("user_id:cat"))).body), ["user_id:cat"]);
  assert.equal((await identify({ userId: "undefined", anonymousId: " - " })).status, 400);
  assert.deepEqual([(await shop.get("/v1/customers/by/hat/x")).status, (await shop.get(by("loyalty_id:L-9"))).status], [422, 404]);
});

test("with the public key nobody joins two known people, if proofs are asked for", async (t) => {
  const shop = await serve(t, basicShop(KEYS + 'identity { prove = "required" }\n'));
  const public_ = basic("wk_first_1"), secret = bearer("sk_first_1");
  const identify = (body, key) => shop.post("/v1/identify", body, key);
  await identify({ anonymousId: "her-browser", traits: { email: "ann@example.com" } }, secret);
  await identify({ userId: "ann" }, secret);
  await identify({ userId: "mallory" }, secret);
  const person = async (name) => (await shop.get(by(name), secret)).body;
  const attacks = [{ userId: "mallory", anonymousId: "his", traits: { email: "ann@example.com" } }, { userId: "mallory", anonymousId: "her-browser" },
    { type: "alias", userId: "mallory", previousId: "her-browser" }, { userId: "ann", anonymousId: "his", traits: { email: "ann@example.com" } },
    { userId: "ann", anonymousId: "his", traits: { email: "ann@example.com" }, proof: "0".repeat(64) }, { userId: "ann", anonymousId: "her-browser", context: { proof: createHmac("sha256", "wk_first_1").update("ann").digest("hex") } }];
  for (const body of attacks) {
    assert.equal((await shop.post(body.type ? "/v1/alias" : "/v1/identify", body, public_)).status, 200);
    const [ann, mail, mallory] = [await person("user_id:ann"), await person("email:ann@example.com"), await person("user_id:mallory")];
    assert.equal(new Set([ann.id, mail.id, mallory.id]).size, 3, JSON.stringify(body));
  }
  const proof = createHmac("sha256", "sk_first_1").update("ann").digest("hex");
  await identify({ userId: "ann", anonymousId: "her-browser", context: { proof } }, public_);
  assert.equal((await person("user_id:ann")).id, (await person("email:ann@example.com")).id, "the shop vouches for it");
  const kept = (await shop.get(by("user_id:ann") + "/timeline?limit=1000", secret)).text;
  assert.ok(!kept.includes(proof), "a proof is not kept");
});

test("a rehearsal says what other rules would make of the events there are", async (t) => {
  const settings = (block) => `shop "test" { currency = "EUR", timezone = "UTC" }\n${block}`;
  const shop = await serve(t, basicShop(settings("")));
  const identify = (anonymousId, userId, email) => shop.post("/v1/identify", { anonymousId, userId, traits: { email } });
  for (let i = 0; i < 7; i++) await identify("ann-phone", "ann", `ann${i}@example.com`);
  await identify("till-1", undefined, "till@shop.example");
  await identify("till-2", undefined, "till@shop.example");
  await identify("bob-1", "bob", "bob@example.com");
  await identify("bob-2", "bob");
  await shop.post(`${by("user_id:bob")}/unmerge`, { identifier: { kind: "anonymous_id", value: "bob-2" } });
  const rehearse = async (block) => {
    writeFileSync(join(shop.dir, "shop.lua"), settings(block));
    return shop.post("/v1/identity/rehearse");
  };
  const same = (await rehearse("")).body;
  assert.deepEqual(same, { events: 11, joined: { examples: [], count: 0 }, split: { examples: [], count: 0 }, people: { now: 4, then: 4 }, identifiers: { gone: 0, new: 0 } });
  const blocked = (await rehearse('identity { blocked = { "till@shop.example" } }')).body;
  assert.deepEqual([blocked.split.count, blocked.split.examples[0].into, blocked.identifiers, blocked.people], [1, 2, { gone: 1, new: 0 }, { now: 4, then: 5 }]);
  assert.equal(blocked.split.examples[0].person, (await shop.get(by("anonymous_id:till-1"))).body.id);
  const wider = (await rehearse("identity { kinds = { email = { at_most = 7 } } }")).body;
  assert.deepEqual([wider.identifiers, wider.split.count, wider.joined.count], [{ gone: 0, new: 2 }, 0, 0]);
  const proven = (await rehearse('identity { prove = "required" }')).body;
  assert.equal(proven.split.count, 0, "what came with the secret key is proven");
  const at_once = await Promise.all(Array.from({ length: 8 }, () => shop.post("/v1/identity/rehearse")));
  assert.ok(at_once.some((one) => one.status === 200) && at_once.every((one) => one.status === 200 || one.body.error.code === "rehearsing"), "one at a time");
  const told = run(["identity", "rehearse", "--shop", shop.dir]);
  assert.match(told.out, /^By shop\.lua as it is now, the 11 events there are would make 4 people; there are 4\.\n0 people would come of several\n0 people would be several\n0 identifiers .*\nNothing was changed/);
  const bad = await rehearse("identity { kinds = 7 }");
  assert.deepEqual([bad.status, bad.body.error.message], [422, "shop.lua:2: identity.kinds must be like { loyalty_id = { at_most = 1 } }"]);
  assert.equal((await shop.get(by("user_id:ann"))).body.identifiers.length, 7, "nothing is changed");
});

test("a rehearsal of tighter proofs takes apart what nobody vouched for", async (t) => {
  const shop = await serve(t, basicShop(KEYS)), secret = bearer("sk_first_1");
  await shop.post("/v1/identify", { anonymousId: "a", traits: { email: "ann@example.com" } }, secret);
  await shop.post("/v1/identify", { userId: "ann" }, secret);
  await shop.post("/v1/identify", { userId: "ann", traits: { email: "ann@example.com" } }, basic("wk_first_1"));
  const ann = (await shop.get(by("user_id:ann"), secret)).body;
  assert.equal((await shop.get(by("email:ann@example.com"), secret)).body.id, ann.id);
  writeFileSync(join(shop.dir, "shop.lua"), KEYS + 'identity { prove = "required" }\n');
  const answer = (await shop.post("/v1/identity/rehearse", undefined, secret)).body;
  assert.deepEqual([answer.split, answer.people], [{ examples: [{ person: ann.id, into: 2 }], count: 1 }, { now: 1, then: 2 }]);
});

test("killed while people are joined and taken apart, each is whole", async (t) => {
  const shop = await serve(t), rounds = Number(process.env.KILL_ROUNDS ?? 20) / 2, wait = (ms) => new Promise((done) => setTimeout(done, ms));
  const seed = Number(process.env.SEED ?? Date.now() % 1e6), answered = new Map(), apart = [];
  let state = seed, n = 0, splits = 0, joins = 0;
  const random = (below) => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8) % below;
  const all = [...Array.from({ length: 24 }, (_, i) => `anonymous_id:a${i}`), ...Array.from({ length: 8 }, (_, i) => `user_id:u${i}`)];
  for (let round = 0; round < rounds; round++) {
    let stop = false;
    const senders = Array.from({ length: 4 }, async () => {
      while (!stop) {
        const messageId = `m${n++}`, anonymousId = `a${random(24)}`, userId = random(3) ? undefined : `u${random(8)}`;
        const answer = await shop.post("/v1/track", { messageId, anonymousId, userId, event: "Thing" }).catch(() => undefined);
        if (answer?.status === 200) answered.set(messageId, [`anonymous_id:${anonymousId}`, userId && `user_id:${userId}`]);
        if (random(4)) continue;
        const [kind, value] = all[random(24)].split(":");
        const split = await shop.post(`/v1/customers/by/${kind}/${value}/unmerge`, { identifier: { kind, value } }).catch(() => undefined);
        if (split?.status === 200) apart.push([`${kind}:${value}`, split.body.kept]), splits++;
      }
    });
    await wait(80 + random(300));
    stop = true;
    await shop.stop("SIGKILL");
    await Promise.all(senders);
    await shop.start();
    const people = new Map(), seen = new Set();
    for (const name of all) {
      const got = await shop.get(by(name));
      if (got.status === 200) people.set(name, got.body);
    }
    for (const [name, person] of people) {
      assert.ok(ids(person).includes(name), name);
      for (const one of ids(person)) assert.equal(people.get(one)?.id, person.id, `${one} and ${name}`);
      if (seen.has(person.id)) continue;
      seen.add(person.id);
      const events = (await shop.get(`/v1/customers/${person.id}/timeline?limit=1000`)).body.events;
      assert.equal(person.counts?.thing?.total ?? 0, events.length, `${name}, seed ${seed}, round ${round}`);
      for (const one of events) {
        const who = answered.get(one.message_id);
        if (who) assert.ok(who.some((named) => named && ids(person).includes(named)), one.message_id);
        answered.delete(one.message_id);
        answered.set(`${one.message_id} there`, who);
      }
    }
    assert.deepEqual([...answered.keys()].filter((key) => !key.endsWith(" there")), [], "answered, and nobody's");
    for (const key of [...answered.keys()]) { /* looked for again in the next round */
      answered.set(key.slice(0, -6), answered.get(key));
      answered.delete(key);
    }
    for (const [name, kept] of apart) assert.notEqual(people.get(name).id, (await shop.get(`/v1/customers/${kept}`)).body.id, `${name} was taken from ${kept}, round ${round}`);
  }
  joins = Number(/^attune_merges_total (\d+)/m.exec((await shop.get("/metrics")).text)[1]);
  console.log(`property: kills, seed ${seed}, ${n} events, ${splits} splits in ${rounds} rounds`);
  assert.ok(splits > rounds, `${splits} splits, ${joins} joins since the last start`);
});
