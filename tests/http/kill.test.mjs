// SPDX-License-Identifier: Apache-2.0
//
// kill -9 at random moments, while it starts, reloads, imports, copies its log into the database; and power cuts that forget
// every unsynced write. Every acknowledged event is there exactly once and its effects with it: counters, money, tastes, and
// the cursors, for the log folded anew gives the same people. KILL_ROUNDS=20 CUT_ROUNDS=50 SEED=1.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, existsSync, ftruncateSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { basicShop, folder, forget, products, root, serve } from "./harness.mjs";

const PEOPLE = 8;
const MOMENTS = ["load", "start-up", "reload", "import", "checkpoint"];
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const within = async (promise, ms) => {
  let timer;
  const late = new Promise((done) => { timer = setTimeout(done, ms); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
};

function shim(t) {
  const out = join(folder(t, {}), "forget.so");
  const built = spawnSync("cc", ["-D_GNU_SOURCE", "-shared", "-fPIC", "-O1", join(root, "tests/shim/forget.c"), "-o", out, "-ldl"], { encoding: "utf8" });
  assert.equal(built.status, 0, built.stderr);
  return out;
}

/** Takes back what was not synced, newest first. Answers how many writes that were. */
function takeBack(undo, data) {
  let count = 0;
  for (const name of readdirSync(undo)) {
    const bytes = readFileSync(join(undo, name)), path = join(data, name.replace(/\.undo$/, "")), records = [];
    for (let at = 0; at + 24 <= bytes.length;) {
      const [offset, size, length] = [0, 8, 16].map((i) => Number(bytes.readBigInt64LE(at + i)));
      if (at + 24 + length > bytes.length) break; /* killed in the middle of it: the write itself did not happen */
      records.push({ offset, size, bytes: bytes.subarray(at + 24, at + 24 + length) });
      at += 24 + length;
    }
    rmSync(join(undo, name));
    if (!records.length || !existsSync(path)) continue;
    const fd = openSync(path, "r+");
    for (const one of records.reverse()) {
      writeSync(fd, one.bytes, 0, one.bytes.length, one.offset);
      ftruncateSync(fd, one.size);
      count++;
    }
    closeSync(fd);
  }
  return count;
}

/** Sends events and kills; what was answered is kept in `answered`. */
class Trial {
  constructor(shop, seed) {
    Object.assign(this, { shop, state: seed, answered: new Map(), unsure: [], n: 0, prices: 0 });
  }
  random(n) {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0;
    return (this.state / 2 ** 32) * n;
  }
  event(pad) {
    const i = this.n++, person = `v${Math.floor(this.random(PEOPLE))}`, product_id = `SKU-${1 + (i % 20)}`;
    const isOrder = i % 7 === 0, properties = isOrder ? { order_id: `o${i}`, revenue: 2, products: [{ product_id, price: 2 }] } : { product_id };
    if (pad) properties.pad = "x".repeat(pad);
    return { type: "track", anonymousId: person, event: isOrder ? "Order Completed" : "Product Viewed", messageId: `m${i}`, properties };
  }
  /** Half of what got no answer is sent again, as an SDK does: it must not count twice. */
  batch(size, pad) {
    const again = this.unsure.length && this.random(2) < 1 ? this.unsure.pop() : undefined;
    return again ?? Array.from({ length: size }, () => this.event(pad));
  }
  async send(path, size, pad) {
    const batch = this.batch(size, pad);
    try {
      const answer = await this.shop.post(path, { batch });
      if (answer.status === 200) for (const event of batch) this.answered.set(event.messageId, event.anonymousId);
      else this.unsure.push(batch);
    } catch {
      this.unsure.push(batch);
      await wait(5);
    }
  }
  async putCatalog() {
    const price = this.prices + 1;
    const answer = await this.shop.call("PUT", "/v1/catalog/items", products(300, () => ({ price }))).catch(() => undefined);
    if (answer?.status === 200) this.prices = price;
  }
  /** Serves under load until it is killed at the moment; it is started again by the caller. */
  async round(moment) {
    let stop = false;
    const isLarge = moment === "checkpoint", shop = this.shop;
    const senders = Array.from({ length: 6 }, async (_, i) => {
      while (!stop) await (moment === "import" && i < 3 ? this.send("/v1/import", 200) : isLarge ? this.send("/v1/batch", 15, 30000) : this.send("/v1/batch", 1 + Math.floor(this.random(5))));
    });
    if (moment === "reload") {
      await wait(20 + this.random(100));
      const file = `ranking "r" { score = function(product) return ${this.n} end }\n`;
      if (this.random(2) < 1) shop.post("/v1/scripts", { files: { "scripts/extra.lua": file } }).catch(() => {});
      else writeFileSync(join(shop.dir, "scripts/extra.lua"), file);
      await wait(this.random(120));
    } else if (moment === "import") {
      const catalog = this.putCatalog();
      await wait(20 + this.random(150));
      shop.child.kill("SIGKILL");
      await catalog;
    } else if (moment === "checkpoint") this.died = await within(shop.exited, 90000);
    else await wait(20 + this.random(250));
    stop = true;
    await shop.stop("SIGKILL");
    await Promise.all(senders);
  }
  async dieStarting() {
    const starting = this.shop.start().catch(() => {});
    await wait(this.random(60));
    this.shop.child.kill("SIGKILL");
    await starting;
    await this.shop.stop("SIGKILL");
  }
  /** Events by person as they are there; each once. */
  async timelines() {
    const seen = new Map();
    for (let i = 0; i < PEOPLE; i++)
      for (let cursor = ""; cursor !== null;) {
        const page = await this.shop.get(`/v1/customers/by/anonymous_id/v${i}/timeline?limit=300${cursor && `&cursor=${cursor}`}`);
        if (page.status === 404) break;
        for (const event of page.body.events) {
          assert.ok(!seen.has(event.message_id), `${event.message_id} is there once`);
          seen.set(event.message_id, { person: `v${i}`, isOrder: event.event === "Order Completed" });
        }
        cursor = page.body.next;
      }
    return seen;
  }
  async people() {
    return Promise.all(Array.from({ length: PEOPLE }, async (_, i) => (await this.shop.get(`/v1/customers/by/anonymous_id/v${i}`)).body));
  }
  lost(seen) {
    return [...this.answered].filter(([id, person]) => seen.get(id)?.person !== person).map(([id]) => id);
  }
  async check() {
    const { shop } = this, seen = await this.timelines();
    assert.deepEqual(this.lost(seen), [], "answered, and not there");
    const item = await shop.get("/v1/catalog/items/SKU-300");
    if (this.prices) assert.ok(item.body.price >= this.prices, `the catalog that was answered is there: ${item.text}`);
    const shown = await this.people();
    for (const [i, person] of shown.entries()) {
      const mine = [...seen.values()].filter((one) => one.person === `v${i}`), orders = mine.filter((one) => one.isOrder).length;
      assert.equal(person.counts.product_viewed.total, mine.length - orders, `counter of v${i}`);
      assert.equal(person.orders.count, orders, `orders of v${i}`);
      assert.equal(person.orders.revenue, 2 * orders, `money of v${i}`);
      assert.equal(person.products.reduce((sum, one) => sum + one.views, 0), mine.length - orders, `views of v${i}`);
      assert.ok(person.affinity.category, `tastes of v${i}`);
    }
    await shop.stop();
    forget(shop.dir);
    await shop.start();
    assert.match(shop.log, /folded \d+ events of the log again/);
    const tastes = (list) => list.map(({ affinity }) => Object.values(affinity).flatMap(Object.entries).map(([name, one]) => [name, one.toFixed(3)]).sort());
    const rest = (list) => list.map((person) => ({ ...person, affinity: undefined }));
    const anew = await this.people();
    assert.deepEqual(rest(anew), rest(shown), "effects and cursors: as the log folded anew");
    assert.deepEqual(tastes(anew), tastes(shown), "tastes, but for a few seconds of their half-life");
    return seen.size;
  }
}

async function begin(t, env = {}) {
  const seed = Number(process.env.SEED ?? Date.now() % 100000);
  const shop = await serve(t, basicShop(), { env });
  await shop.call("PUT", "/v1/catalog/items", products(300));
  return { shop, seed, trial: new Trial(shop, seed) };
}

test("kill -9 loses nothing that was answered and doubles nothing", async (t) => {
  const rounds = Number(process.env.KILL_ROUNDS ?? 20), so = shim(t), { shop, seed, trial } = await begin(t);
  const counts = Object.fromEntries(MOMENTS.map((moment) => [moment, 0]));
  for (let round = 0; round < rounds; round++) {
    const moment = MOMENTS[round % MOMENTS.length];
    if (moment === "checkpoint") { /* into which it is killed by itself, at its n-th page */
      await shop.stop("SIGKILL");
      shop.env = { LD_PRELOAD: so, KILL_AT_CHECKPOINT: String(1 + Math.floor(trial.random(300))) };
      await shop.start();
    }
    if (moment === "start-up") {
      await shop.stop("SIGKILL");
      await trial.dieStarting();
    } else await trial.round(moment);
    if (moment === "checkpoint") assert.equal(trial.died?.signal, "SIGKILL", "it died copying its log into the database");
    counts[moment]++;
    shop.env = {};
    await shop.start();
  }
  const there = await trial.check();
  console.log(`property: seed ${seed}, ${rounds} kills (${MOMENTS.map((moment) => `${counts[moment]} at ${moment}`).join(", ")}), ${trial.answered.size} of ${trial.n} events answered, ${there} there`);
});

/** Power cuts; answers how many writes were forgotten and what was lost. */
async function cut(t, rounds, env) {
  const undo = folder(t, {}), shimmed = { LD_PRELOAD: shim(t), FORGET_DIR: undo, ...env };
  const { shop, seed, trial } = await begin(t, shimmed);
  let forgotten = 0;
  for (let round = 0; round < rounds; round++) {
    const moment = MOMENTS[round % 4];
    if (moment === "start-up") {
      await shop.stop("SIGKILL");
      forgotten += takeBack(undo, join(shop.dir, "data"));
      await trial.dieStarting();
    } else await trial.round(moment);
    forgotten += takeBack(undo, join(shop.dir, "data"));
    await shop.start();
  }
  return { trial, seed, forgotten };
}

test("power cuts that forget every unsynced write lose nothing that was answered", async (t) => {
  const rounds = Number(process.env.CUT_ROUNDS ?? 50), { trial, seed, forgotten } = await cut(t, rounds, {});
  const there = await trial.check();
  assert.ok(forgotten > rounds, `${forgotten} writes forgotten`);
  console.log(`property: seed ${seed}, ${rounds} power cuts, ${forgotten} writes forgotten, ${trial.answered.size} of ${trial.n} events answered, ${there} there`);
});

test("… and on a disk that lies about its syncs something is missing: the test would see it", async (t) => {
  const { trial } = await cut(t, 1, { FORGET_LIES: "1" });
  assert.ok(trial.answered.size > 0);
  assert.ok(trial.lost(await trial.timelines()).length > 0, "all is there, though nothing was synced");
});

test("what comes after a clean stop is there after a kill, too: a profile is not ahead of the log", async (t) => {
  const shop = await serve(t), send = (from, count) => shop.post("/v1/batch", { batch: Array.from({ length: count }, (_, i) => ({ type: "track", anonymousId: `v${i % 3}`, event: "Product Viewed", messageId: `m${from + i}` })) });
  await send(0, 30);
  await shop.stop();
  await shop.start();
  await send(30, 15);
  await shop.stop("SIGKILL");
  await shop.start();
  for (let i = 0; i < 3; i++) assert.equal((await shop.get(`/v1/customers/by/anonymous_id/v${i}`)).body.counts.product_viewed.total, 15);
});
