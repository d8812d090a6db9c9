// SPDX-License-Identifier: Apache-2.0
//
// History in: the marks that imports leave, and what the verb `attune import events` does with a file.
import assert from "node:assert/strict";
import { test } from "node:test";
import { basic, basicShop, bearer, KEYS, serve } from "./harness.mjs";

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
    assert.deepEqual((await shop.get("/v1/imports/stale", secret)).body, { name: "stale", state: { i } });
  }
});
