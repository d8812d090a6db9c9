// SPDX-License-Identifier: Apache-2.0
//
// People as the guides tell it, in plain sets and lists; it shares no code and no idea of storage with the runtime. All within the
// window of the limits.
export const ORDER = ["user_id", "email", "phone", "anonymous_id"];
const LIMITS = { user_id: 1, email: 5, phone: 5, anonymous_id: 5 };
const pair = (a, b) => [a, b].sort().join();

export class Model {
  of = new Map(); /* name → the set of names of its person */
  bars = new Map(); /* pairs taken apart */
  links = new Map(); /* pairs that evidence names together */
  events = []; /* {source, revenue?} */
  said = []; /* {source, purpose, granted, at, whole} */
  erased = new Map(); /* name → when */

  may(set, more) {
    for (const kind of ORDER) {
      const count = (one) => [...one].filter((name) => name.startsWith(kind + ":")).length;
      if (count(more) && count(set) + count(more) > LIMITS[kind]) return false;
    }
    return ![...set].some((a) => [...more].some((b) => this.bars.has(pair(a, b))));
  }
  /** False: it happened before one of its names was erased, and is not taken. */
  event({ names, at, revenue, counts, purposes = {} }) {
    if (names.some((name) => at <= this.erased.get(name))) return false;
    const taken = [];
    let person = new Set();
    for (const name of ORDER.flatMap((kind) => names.filter((one) => one.startsWith(kind + ":")))) {
      const other = this.of.get(name) ?? new Set([name]);
      if (!person.has(name) && person.size && !this.may(person, other)) continue;
      person = new Set([...person, ...other]);
      taken.push(name);
    }
    for (const name of person) this.of.set(name, person);
    for (const a of taken) for (const b of taken) if (a < b) this.links.set(pair(a, b), [a, b]);
    const source = names.find((name) => taken.includes(name));
    this.events.push({ source, revenue, counts });
    for (const [purpose, granted] of Object.entries(purposes)) this.said.push({ source, purpose, granted, at, whole: false });
    return true;
  }
  /** The shop's own word, about the whole person. */
  state({ name, purpose, granted, at }) {
    this.said.push({ source: name, purpose, granted, at, whole: true });
  }
  erase(name, at) {
    const gone = this.of.get(name);
    for (const one of gone) {
      this.of.delete(one);
      this.erased.set(one, at);
    }
    this.events = this.events.filter((one) => !gone.has(one.source));
    this.said = this.said.filter((one) => !gone.has(one.source));
    for (const map of [this.links, this.bars]) for (const [key, [a, b]] of map) if (gone.has(a) || gone.has(b)) map.delete(key);
  }
  /** Who is still held together with `from` by evidence, without what is not a member. */
  reach(from, members) {
    const seen = new Set([from]), queue = [from];
    for (let at; (at = queue.pop());)
      for (const [a, b] of this.links.values())
        for (const [x, y] of [[a, b], [b, a]]) if (x === at && members.has(y) && !seen.has(y)) queue.push(y), seen.add(y);
    return seen;
  }
  /** What stays must be all that one of the strongest others holds without it. Answers what is wrong, or undefined. */
  unmerge(leaving, kept) {
    const whole = this.of.get(leaving), others = new Set([...whole].filter((one) => one !== leaving));
    const strongest = ORDER.map((kind) => [...others].filter((one) => one.startsWith(kind + ":"))).find((list) => list.length);
    const same = (a, b) => a.size === b.size && [...a].every((one) => b.has(one));
    if (!strongest.some((anchor) => kept.has(anchor) && same(this.reach(anchor, others), kept))) return `${[...kept]} stayed of ${[...whole]}`;
    const split = new Set([...whole].filter((one) => !kept.has(one)));
    for (const one of kept) this.of.set(one, kept);
    for (const one of split) this.of.set(one, split);
    for (const [key, [a, b]] of this.links) if (kept.has(a) !== kept.has(b) && (kept.has(a) || kept.has(b)) && whole.has(a) && whole.has(b)) this.links.delete(key);
    for (const one of kept) this.bars.set(pair(leaving, one), [leaving, one]);
  }
  /** As the profile shows it. */
  person(name) {
    const names = this.of.get(name);
    if (!names) return undefined;
    const events = this.events.filter((one) => names.has(one.source)), said = this.said.filter((one) => names.has(one.source));
    const consent = {};
    for (const purpose of [...new Set(said.map((one) => one.purpose))].sort()) {
      const about = said.filter((one) => one.purpose === purpose), through = new Set(about.filter((one) => !one.whole).map((one) => one.source));
      const latest = (list) => list.reduce((a, b) => (b.at > a.at || (b.at === a.at && !b.granted) ? b : a)).granted;
      const words = through.size ? [...through].map((source) => latest(about.filter((one) => one.whole || one.source === source))) : [latest(about)];
      consent[purpose] = words.every(Boolean) ? "granted" : "denied";
    }
    const orders = events.filter((one) => one.revenue !== undefined);
    return { names: [...names].sort(), things: events.filter((one) => one.counts).length, orders: orders.length, revenue: orders.reduce((sum, one) => sum + one.revenue, 0), consent };
  }
}
