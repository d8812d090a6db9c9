// SPDX-License-Identifier: Apache-2.0
//
// state = fold(apply, events of the person's source ids in log order): profiles as they grew event by event, through merges
// and restarts, equal those computed anew from the log alone. Also with commits that answer "stale" at random.
import assert from "node:assert/strict";
import { test } from "node:test";
import { basicShop, forget, products, serve, SHOP } from "./harness.mjs";

const names = ["Product Viewed", "Product Viewed", "Product Added", "Product Removed", "Product List Viewed", "Order Completed", "Order Refunded", "Signed In", "Cart Viewed"];

async function run(t, env, people, perPerson) {
  const seed = Number(process.env.SEED ?? Date.now() % 1e6);
  let state = seed;
  const random = (n) => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8) % n;
  const shop = await serve(t, basicShop(), { env });
  await shop.call("PUT", "/v1/catalog/items", products(40, (i) => ({ tags: [`t${i % 3}`] })));
  let order = 0, count = 0;
  const event = (person) => {
    const who = random(3) ? { anonymousId: `a${person}-${random(3)}` } : { userId: `u${person}`, ...(random(2) ? { anonymousId: `a${person}-${random(3)}` } : {}) };
    const name = names[random(names.length)], list = Array.from({ length: 1 + random(3) }, () => ({ product_id: `SKU-${1 + random(40)}`, price: 1 + random(90), quantity: 1 + random(3) }));
    const timestamp = new Date(Date.now() - random(30 * 86400) * 1000).toISOString(), messageId = `m${count++}`;
    if (!random(8)) return { type: "identify", ...who, messageId, timestamp, traits: { [`k${random(4)}`]: random(9), email: random(3) ? undefined : `p${person}@example.com` } };
    const properties = name.startsWith("Order") ? { order_id: `o${name === "Order Completed" ? order++ : random(order + 1)}`, refund_id: `r${random(400)}`, products: list } : name.includes("List") || name.includes("Cart") ? { products: list } : list[0];
    return { type: "track", ...who, messageId, timestamp, event: name, properties };
  };
  const queue = Array.from({ length: people * perPerson }, () => event(random(people)));
  const senders = Array.from({ length: 8 }, async (_, k) => {
    for (let i = k; i < queue.length; i += 8 * 7) {
      const batch = [];
      for (let j = i; j < Math.min(queue.length, i + 56) && batch.length < 7; j += 8) batch.push(queue[j]);
      const answer = await shop.post("/v1/batch", { batch });
      assert.equal(answer.status, 200, answer.text);
      assert.ok(answer.body.results.every((one) => one.status === "accepted"), answer.text);
    }
  });
  await Promise.all(senders);
  const read = async () => {
    const all = new Map();
    for (let person = 0; person < people; person++)
      for (const [kind, value] of [["user_id", `u${person}`], ["anonymous_id", `a${person}-0`], ["anonymous_id", `a${person}-1`], ["anonymous_id", `a${person}-2`]]) {
        const answer = await shop.get(`/v1/customers/by/${kind}/${value}`);
        if (answer.status !== 200) continue;
        const { affinity, counts, session, ...rest } = answer.body;
        for (const one of Object.values(counts)) delete one.within_7d; /* moves with the clock */
        delete session.is_live;
        delete rest.orders.typical_interval_days; /* the shop's share in it moves with what is written behind */
        all.set(`${kind}:${value}`, JSON.stringify({ ...rest, counts, session, facets: Object.keys(affinity) }));
      }
    return all;
  };
  const grown = await read();
  const merges = Number(/^attune_merges_total (\d+)/m.exec((await shop.get("/metrics")).text)[1]);
  assert.ok(merges > people / 4, `${merges} merges`);
  await shop.stop();
  forget(shop.dir);
  await shop.start();
  assert.match(shop.log, /folded \d+ events of the log again/);
  const anew = await read();
  assert.deepEqual([...anew.keys()], [...grown.keys()]);
  for (const [who, text] of grown) assert.deepEqual(JSON.parse(anew.get(who)), JSON.parse(text), `${who}, seed ${seed}`);
  console.log(`property: seed ${seed}, ${queue.length} events of ${people} people, ${grown.size} identifiers compared, ${merges} merges`);
}

test("grown equals computed anew", (t) => run(t, {}, 60, 20));
test("also when commits answer stale at random", (t) => run(t, { ATTUNE_TEST_STALE: "200" }, 30, 20));

test("identifiers stand in the same order, whichever was named first and kept last", async (t) => {
  const shop = await serve(t, basicShop(`${SHOP}consent { analytics = "opt-out", personalization = "opt-out" }\n`));
  const say = (yes) => ({ context: { consent: { categoryPreferences: { analytics: yes } } } }), at = (s) => new Date(Date.now() - 60_000 + s * 1000).toISOString();
  const tell = (anonymousId, s, more) => shop.post("/v1/track", { userId: "u", anonymousId, event: "Looked", timestamp: at(s), ...more });
  await tell("a", 0, say(true));
  await tell("a", 1, say(false));
  assert.equal((await tell("named-first", 2)).body.status, "withheld");
  await tell("a", 3, say(true));
  await tell("kept-first", 4);
  await tell("named-first", 5);
  const identifiers = async () => (await shop.get("/v1/customers/by/user_id/u")).body.identifiers.map((one) => one.value);
  const grown = await identifiers();
  await shop.stop();
  forget(shop.dir);
  await shop.start();
  assert.deepEqual(await identifiers(), grown);
  assert.deepEqual(grown.slice(-2), ["kept-first", "named-first"]);
});
