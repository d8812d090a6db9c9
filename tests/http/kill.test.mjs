// SPDX-License-Identifier: Apache-2.0
//
// kill -9 at random moments: every acknowledged event is there exactly once, and its effects with it. KILL_ROUNDS=20.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { products, serve } from "./harness.mjs";

test("kill -9 loses nothing that was answered and doubles nothing", async (t) => {
  const rounds = Number(process.env.KILL_ROUNDS ?? 12), seed = Number(process.env.SEED ?? Date.now() % 100000);
  let state = seed;
  const random = () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32);
  const shop = await serve(t);
  await shop.call("PUT", "/v1/catalog/items", products(20));
  const acknowledged = new Map(); // person → messageIds
  let n = 0, tried = 0;
  for (let round = 0; round < rounds; round++) {
    let stop = false;
    const senders = Array.from({ length: 6 }, async () => {
      while (!stop) {
        const person = `v${Math.floor(random() * 8)}`, batch = [];
        for (let i = 0; i < 1 + Math.floor(random() * 5); i++)
          batch.push({ type: "track", anonymousId: person, event: "Product Viewed", messageId: `m${n++}`, properties: { product_id: `SKU-${1 + (n % 20)}` } });
        tried += batch.length;
        try {
          const answer = await shop.post("/v1/batch", { batch });
          if (answer.status === 200) for (const event of batch) acknowledged.set(event.messageId, person);
        } catch {
          if (!stop) await new Promise((done) => setTimeout(done, 5));
        }
      }
    });
    if (round % 3 === 1) writeFileSync(join(shop.dir, "scripts/extra.lua"), `ranking "r${round}" { score = function(product) return ${round} end }\n`);
    if (round % 3 === 2) shop.call("PUT", "/v1/catalog/items", products(200)).catch(() => {});
    await new Promise((done) => setTimeout(done, 20 + random() * 250));
    stop = true;
    await shop.stop("SIGKILL");
    await Promise.all(senders);
    await shop.start();
  }
  const seen = new Map(), perPerson = new Map();
  for (let i = 0; i < 8; i++) {
    const person = `v${i}`;
    for (let cursor = ""; cursor !== null;) {
      const page = await shop.get(`/v1/customers/by/anonymous_id/${person}/timeline?limit=1000${cursor && `&cursor=${cursor}`}`);
      if (page.status === 404) break;
      for (const event of page.body.events) {
        assert.ok(!seen.has(event.message_id), `${event.message_id} is there once`);
        seen.set(event.message_id, person);
        perPerson.set(person, (perPerson.get(person) ?? 0) + 1);
      }
      cursor = page.body.next;
    }
  }
  for (const [id, person] of acknowledged) assert.equal(seen.get(id), person, `${id} was answered and is there`);
  for (const [person, count] of perPerson) {
    const shown = (await shop.get(`/v1/customers/by/anonymous_id/${person}`)).body;
    assert.equal(shown.counts.product_viewed.total, count, `effects of ${person}`);
    assert.equal(shown.products.reduce((sum, one) => sum + one.views, 0), count, `views of ${person}`);
  }
  console.log(`property: seed ${seed}, ${rounds} kills, ${acknowledged.size} of ${tried} events answered, ${seen.size} there`);
});
