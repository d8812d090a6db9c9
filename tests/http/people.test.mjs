// SPDX-License-Identifier: Apache-2.0
//
// Random lives against a model that shares no code with the runtime: events, sign-ins, aliases, orders, words of consent that come
// late, people taken apart and erased, in any order. RUNS=2000 STEPS=60 SEED=1.
import assert from "node:assert/strict";
import { test } from "node:test";
import { basicShop, serve } from "./harness.mjs";
import { Model } from "./people_model.mjs";

const RUNS = Number(process.env.RUNS ?? 2000), STEPS = Number(process.env.STEPS ?? 60), SEED = Number(process.env.SEED ?? Date.now() % 1e6), AT_ONCE = 48;
const PURPOSES = ["personalization", "email_marketing", "ads"], HOUR = 3600_000;
const path = (name) => `/v1/customers/by/${name.replace(":", "/").replace(/[^/]+$/, encodeURIComponent)}`;
const value = (name) => name?.slice(name.indexOf(":") + 1);

class Life {
  constructor(shop, run, totals) {
    Object.assign(this, { shop, run, totals, model: new Model(), state: (SEED + run * 7919) >>> 0, began: Date.now(), last: 0, n: 0, batch: [], told: [] });
  }
  random(below) {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0;
    return (this.state >>> 8) % below;
  }
  get label() {
    return `run ${this.run}, seed ${SEED}`;
  }
  /** Now, later than all before; or hours ago. No two alike: of two words of one moment the no counts. */
  moment() {
    if (this.random(3)) return (this.last = Math.max(this.last + 1, Date.now()));
    return this.began - HOUR - this.random(12 * HOUR) - 1;
  }
  who() {
    const name = (kind, count, end = "") => `${kind}:r${this.run}-${kind[0]}${this.random(count)}${end}`;
    const a = name("anonymous_id", 10), u = name("user_id", 4), e = name("email", 7, "@example.com");
    const names = [a, ...(this.random(3) ? [] : [u]), ...(this.random(4) ? [] : [e])].slice(this.random(6) ? 0 : 1);
    return names.some((one) => !one.startsWith("email")) ? names : [a, ...names];
  }
  event() {
    const names = this.who(), has = (kind) => value(names.find((one) => one.startsWith(kind))), at = this.moment(), what = this.random(8);
    const event = { messageId: `r${this.run}-m${this.n++}`, timestamp: new Date(at).toISOString(), anonymousId: has("anonymous_id"), userId: has("user_id") };
    const said = { names, at, counts: false };
    if (what === 0 && event.anonymousId && event.userId) {
      Object.assign(event, { type: "alias", previousId: event.anonymousId, anonymousId: undefined });
      said.names = names.filter((one) => !one.startsWith("email"));
      said.names.reverse(); /* an alias is the user's */
    } else if (what === 1) {
      said.revenue = 1 + this.random(50);
      Object.assign(event, { type: "track", event: "Order Completed", properties: { order_id: event.messageId, revenue: said.revenue, email: has("email") } });
    } else if (what === 2) Object.assign(event, { type: "identify", traits: { email: has("email") } });
    else {
      Object.assign(event, { type: "track", event: "Thing", properties: { email: has("email") } });
      said.counts = true;
    }
    if (!this.random(5)) {
      said.purposes = {};
      for (const purpose of PURPOSES) if (this.random(2)) said.purposes[purpose] = this.random(3) > 0;
      if (!Object.keys(said.purposes).length) said.purposes.ads = true;
      event.context = { consent: { categoryPreferences: said.purposes } };
    }
    this.batch.push(event);
    this.told.push(said);
  }
  async send() {
    if (!this.batch.length) return;
    const answer = await this.shop.post("/v1/batch", { batch: this.batch });
    assert.equal(answer.status, 200, `${answer.text} ${this.label}`);
    const expected = this.told.map((one) => (this.model.event(one) ? "accepted" : "withheld"));
    const statuses = answer.body.results.map((one) => one.status);
    if (statuses.join() !== expected.join()) assert.deepEqual(statuses, expected, `${JSON.stringify(this.batch)} ${this.label}`);
    this.totals.events += this.batch.length;
    this.totals.withheld += expected.filter((one) => one === "withheld").length;
    this.batch = [];
    this.told = [];
  }
  known() {
    const names = [...this.model.of.keys()];
    return names[this.random(names.length)];
  }
  async consent() {
    const name = this.known(), said = { name, purpose: PURPOSES[this.random(3)], granted: this.random(3) > 0, at: this.moment() };
    const answer = await this.shop.post(`${path(name)}/consent`, { purpose: said.purpose, status: said.granted ? "granted" : "denied", at: new Date(said.at).toISOString() });
    /* somebody new of an erased name: what was said before the erasure is the erased one's */
    if (this.model.erased.get(name) >= said.at) return assert.deepEqual([answer.status, answer.body.error?.code], [409, "erased"], this.label);
    assert.equal(answer.status, 200, `${answer.text} ${this.label}`);
    this.model.state(said);
    this.totals.words++;
  }
  async unmerge() {
    const leaving = this.known(), whole = this.model.of.get(leaving);
    const [kind] = leaving.split(":"), answer = await this.shop.post(`${path(leaving)}/unmerge`, { identifier: { kind, value: value(leaving) } });
    if (whole.size === 1) return assert.equal(answer.status, 422, `${answer.text} ${this.label}`);
    assert.equal(answer.status, 200, `${answer.text} ${this.label}`);
    const kept = (await this.shop.get(`/v1/customers/${answer.body.kept}`)).body.identifiers.map((one) => `${one.kind}:${one.value}`);
    const wrong = this.model.unmerge(leaving, new Set(kept));
    assert.equal(wrong, undefined, `${leaving} taken apart: ${wrong}, ${this.label}`);
    this.totals.splits++;
  }
  async erase() {
    const name = this.known(), answer = await this.shop.call("DELETE", path(name));
    assert.equal(answer.status, 200, `${answer.text} ${this.label}`);
    this.last = Math.max(this.last, Date.now()) + 1; /* what comes from now on is later than the erasure */
    this.model.erase(name, this.last);
    this.totals.erasures++;
  }
  async check(name) {
    const answer = await this.shop.get(path(name)), expected = this.model.person(name), label = `${name}, ${this.label}`;
    if (!expected) return assert.equal(answer.status, 404, label);
    assert.equal(answer.status, 200, label);
    const { identifiers, counts, orders, consent } = answer.body;
    assert.deepEqual({ names: identifiers.map((one) => `${one.kind}:${one.value}`).sort(), things: counts.thing?.total ?? 0, orders: orders.count, revenue: orders.revenue ?? 0,
      consent: Object.fromEntries(Object.entries(consent ?? {}).sort()) }, expected, label);
  }
  async live() {
    for (let step = 0; step < STEPS; step++) {
      const what = this.random(40);
      if (what > 4 || !this.model.of.size) this.event();
      else {
        await this.send();
        if (!this.model.of.size) continue;
        await (what > 2 ? this.consent() : what > 1 ? this.unmerge() : what ? this.check(this.known()) : this.erase());
      }
      if (this.batch.length === 15) await this.send();
    }
    await this.send();
    for (const names of new Set(this.model.of.values())) await this.check([...names][this.random(names.size)]);
    for (const name of this.model.erased.keys()) if (!this.model.of.has(name)) await this.check(name);
  }
}

test("random lives against a model", async (t) => {
  const shop = await serve(t, basicShop(), { env: { ATTUNE_TEST_STALE: "100" } });
  const totals = { events: 0, withheld: 0, words: 0, splits: 0, erasures: 0 };
  let next = 0;
  const lane = async () => {
    for (let run; (run = next++) < RUNS;) await new Life(shop, run, totals).live();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  console.log(`property: people, seed ${SEED}, ${RUNS} lives of ${STEPS} steps: ${Object.entries(totals).map(([name, n]) => `${n} ${name}`).join(", ")}`);
});
