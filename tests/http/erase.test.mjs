// SPDX-License-Identifier: Apache-2.0
//
// An erasure beside what else goes on: events that join the person at that moment, events that were withheld, orders that several
// told of, refunds that come later, a backup from before, a list of erasures that was cut off.
import assert from "node:assert/strict";
import { test } from "node:test";
import { basicShop, serve, SHOP } from "./harness.mjs";

const by = (kind, value) => `/v1/customers/by/${kind}/${encodeURIComponent(value)}`;

test("who is erased while an event makes them one with somebody is erased, and the shop serves on", async (t) => {
  const shop = await serve(t);
  for (let i = 0; i < 60; i++) {
    await shop.post("/v1/identify", { anonymousId: `b-${i}`, traits: { round: i } });
    await shop.post("/v1/identify", { userId: `u-${i}`, traits: { round: i } });
    const { id } = (await shop.get(by("user_id", `u-${i}`))).body;
    const [erased, told] = await Promise.all([
      shop.call("DELETE", by("user_id", `u-${i}`)),
      shop.post("/v1/identify", { userId: `u-${i}`, anonymousId: `b-${i}` }),
    ]);
    assert.deepEqual([erased.status, told.status], [200, 200], erased.text + told.text);
    assert.equal((await shop.get(`/v1/customers/${id}`)).status, 404, `round ${i}`);
  }
});

test("a browser whose events were withheld does not lead to who was erased", async (t) => {
  const shop = await serve(t, basicShop(`${SHOP}consent { analytics = "opt-out", personalization = "opt-out" }\n`));
  const no = { context: { consent: { categoryPreferences: { analytics: false } } } };
  await shop.post("/v1/identify", { userId: "ann", anonymousId: "v-1", traits: { name: "Ann" } });
  const { id } = (await shop.get(by("user_id", "ann"))).body;
  await shop.post("/v1/track", { userId: "ann", anonymousId: "v-1", event: "Looked", ...no });
  assert.equal((await shop.post("/v1/track", { userId: "ann", anonymousId: "v-2", event: "Looked" })).body.status, "withheld");
  assert.equal((await shop.call("DELETE", by("user_id", "ann"))).status, 200);
  assert.equal((await shop.post("/v1/track", { anonymousId: "v-2", event: "Looked" })).body.success, true);
  const other = (await shop.get(by("anonymous_id", "v-2"))).body;
  assert.notEqual(other.id, id, "somebody new");
  assert.equal((await shop.get(`/v1/customers/${id}`)).status, 404);
});
