// SPDX-License-Identifier: Apache-2.0
//
// Backup and restore as an operator does them: while events stream in, killed at random moments, into folders that are empty or
// not, with files that are none; and that nobody else reads what attune keeps. ROUNDS=6 SEED=1.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { basicShop, bearer, folder, forget, KEYS, local, products, program, run, serve, Server, until } from "./harness.mjs";

const PEOPLE = 20;
const rounds = Number(process.env.ROUNDS ?? 6), seed = Number(process.env.SEED ?? Date.now() % 1e6);
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const random = (state => (n) => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32) * n)(seed);

/** A verb that runs beside the test: {child, ended: {code, out, err}}. */
function verb(...args) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  const said = { out: "", err: "" };
  child.stdout.on("data", (text) => (said.out += text));
  child.stderr.on("data", (text) => (said.err += text));
  return { child, said, ended: new Promise((done) => child.once("close", (code, signal) => done({ code, signal, ...said }))) };
}

const shopOf = (t, data) => {
  const server = new Server(folder(t, basicShop()), ["--data", data]);
  t.after(() => server.stop("SIGKILL"));
  return server;
};

/** Sends batches until it is told to stop; keeps when each event was answered. */
class Stream {
  constructor(shop, pad = 0) {
    Object.assign(this, { shop, pad: "x".repeat(pad), answered: new Map(), n: 0, stopped: false });
  }
  event() {
    const i = this.n++, product_id = `SKU-${1 + (i % 20)}`, isOrder = i % 9 === 0;
    const properties = isOrder ? { order_id: `o${i}`, revenue: 2, products: [{ product_id, price: 2 }] } : { product_id, pad: this.pad };
    const who = i % 7 ? { anonymousId: `v${i % PEOPLE}` } : { anonymousId: `v${i % PEOPLE}`, userId: `u${i % PEOPLE}` };
    return { type: "track", ...who, event: isOrder ? "Order Completed" : "Product Viewed", messageId: `m${i}`, properties };
  }
  async batch(size) {
    const batch = Array.from({ length: size }, () => this.event());
    const answer = await this.shop.post("/v1/batch", { batch });
    if (answer.status === 200) for (const event of batch) this.answered.set(event.messageId, Date.now());
    return answer.status;
  }
  async some(batches, size = 10) {
    for (let i = 0; i < batches; i++) assert.equal(await this.batch(size), 200);
  }
  start(senders = 4) {
    const one = async () => {
      while (!this.stopped) await this.batch(10).catch(() => wait(5));
    };
    this.running = Promise.all(Array.from({ length: senders }, one));
  }
  async end() {
    this.stopped = true;
    await this.running;
  }
}

/** Message ids by how often they are there, from all timelines. */
async function found(shop) {
  const ids = new Map();
  for (let i = 0; i < PEOPLE; i++)
    for (let cursor = ""; cursor !== null;) {
      const page = await shop.get(`/v1/customers/by/anonymous_id/v${i}/timeline?limit=500${cursor && `&cursor=${cursor}`}`);
      if (page.status === 404) break;
      assert.equal(page.status, 200, page.text);
      for (const event of page.body.events) ids.set(event.message_id, (ids.get(event.message_id) ?? 0) + 1);
      cursor = page.body.next;
    }
  return ids;
}

async function people(shop) {
  const all = [];
  for (let i = 0; i < PEOPLE; i++) {
    const answer = await shop.get(`/v1/customers/by/anonymous_id/v${i}`);
    if (answer.status !== 200) continue;
    const { affinity, counts, session, ...rest } = answer.body;
    for (const one of Object.values(counts)) delete one.within_7d; /* moves with the clock */
    if (session) delete session.is_live;
    rest.identifiers.sort((x, y) => (x.kind + x.value < y.kind + y.value ? -1 : 1));
    all.push({ ...rest, counts, session, facets: Object.keys(affinity) });
  }
  return all;
}

test("a backup made at full rate has all that was answered before it, and the same people as the log folded anew", async (t) => {
  const shop = await serve(t), file = join(folder(t, {}), "a copy.db");
  await shop.call("PUT", "/v1/catalog/items", products(20));
  const stream = new Stream(shop, 20000);
  await stream.some(150); /* 30 MB: it takes a while */
  stream.start();
  await wait(200);
  const before = new Set(stream.answered.keys());
  const made = await verb("backup", file, "--shop", shop.dir).ended;
  await wait(100);
  await stream.end();
  assert.equal(made.code, 0, made.err);
  assert.match(made.out, /^.*a copy\.db: [\d.]+ MB, \d+ events, [\d.]+ s; keep erasure\.key and erasures\.log .* apart from it/);
  assert.match(made.err, /^(copying: \d+ % of [\d.]+ MB|checking the copy)\n/);
  const state = (await shop.get("/v1/backup")).body;
  assert.equal(state.state, "done");
  assert.equal(statSync(file).size, state.bytes);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.match(shop.log, /backup: .*a copy\.db: [\d.]+ MB, \d+ events/);
  const moment = Date.parse(state.at);
  for (const [id, at] of stream.answered) if (at < moment) before.add(id);

  const data = join(folder(t, {}), "data");
  const restored = run(["restore", file, "--data", data, "--no-erasures"]);
  assert.equal(restored.code, 0, restored.err);
  assert.match(restored.out, new RegExp(`${state.events} events, as of ${state.at.replace(/[.]/g, "\\.")}, .*sends nothing until attune resume`));
  const other = shopOf(t, data);
  await other.start();
  const ids = await found(other);
  for (const id of before) assert.equal(ids.get(id), 1, `${id} was answered before the backup`);
  assert.equal(ids.size, state.events);
  assert.ok(stream.answered.size > ids.size, "more was answered while it was made");
  const grown = await people(other);
  assert.ok(grown.length === PEOPLE);
  await other.stop();
  mkdirSync(join(other.dir, "data")); /* forget looks there */
  copyFileSync(join(data, "attune.db"), join(other.dir, "data/attune.db"));
  forget(other.dir);
  copyFileSync(join(other.dir, "data/attune.db"), join(data, "attune.db"));
  await other.start();
  assert.match(other.log, /folded \d+ events of the log again/);
  assert.deepEqual(await people(other), grown);
  console.log(`property: ${before.size} events answered before the moment, ${ids.size} in the backup, ${stream.answered.size} answered in all`);
});

test("nobody may have a file written over the network; the file's name is checked", async (t) => {
  const shop = await serve(t, basicShop(KEYS)), dir = folder(t, {}), file = join(dir, "x.db");
  const code = async (answer, status, code) => {
    const { body, ...rest } = await answer;
    assert.deepEqual([rest.status, body.error?.code], [status, code], JSON.stringify(body));
  };
  await code(shop.post("/v1/backup", { file }), 401, "no_key");
  await code(shop.post("/v1/backup", { file }, bearer("wk_first_1")), 403, "secret_only");
  await code(shop.post("/v1/backup", { file }, bearer("sk_first_1")), 403, "local_only");
  assert.deepEqual(readdirSync(dir), []);
  assert.equal((await shop.get("/v1/backup", bearer("sk_first_1"))).body.state, "none");
  const ask = (body) => local(shop.dir, "POST", "/v1/backup", body);
  await code(ask({ file: "x.db" }), 422, "bad_path");
  await code(ask({ file: `${dir}/` }), 422, "bad_path");
  await code(ask({ file: `${dir}/a\u0000b` }), 422, "bad_path");
  await code(ask({ file: 7 }), 422, "bad_path");
  await code(ask({ file, force: "yes" }), 422, "bad_boolean");
  await code(ask([]), 400, "not_an_object");
  await code(ask({ file: join(dir, "none/x.db") }), 422, "no_folder");
  await code(ask({ file: join(shop.dir, "data/attune.db"), force: true }), 422, "own_file");
  await code(ask({ file: dir, force: true }), 422, "not_a_file");
  assert.equal((await shop.get("/v1/backup", bearer("sk_first_1"))).body.state, "failed");
  await code(ask({ file }), 200, undefined);
  await code(ask({ file }), 409, "file_exists");
  await code(ask({ file, force: true }), 200, undefined);
  const metrics = (await shop.get("/metrics", bearer("sk_first_1"))).text;
  assert.match(metrics, /attune_backups_total 2\n/);
  assert.match(metrics, /attune_backups_failed_total 4\n/);
});

test("the verbs say what is wrong, and leave what is there", async (t) => {
  const shop = await serve(t), dir = folder(t, {}), file = join(dir, "x.db"), data = join(shop.dir, "data");
  await new Stream(shop).some(5);
  const refused = (args, code, says) => {
    const ran = run(args);
    assert.equal(ran.code, code, ran.err);
    assert.match(ran.err, says);
  };
  assert.equal(run(["backup", file, "--shop", shop.dir]).code, 0);
  refused(["backup", file, "--shop", shop.dir], 1, /is there already.*--force/);
  assert.equal(run(["backup", file, "--shop", shop.dir, "--force"]).code, 0);
  refused(["backup", join(dir, "no/x.db"), "--shop", shop.dir], 3, /cannot write .*No such file/);
  refused(["restore", file, "--data", data, "--no-erasures", "--force"], 1, new RegExp(`process ${shop.child.pid} has the data folder`));
  await shop.stop();
  refused(["backup", join(dir, "y.db"), "--data", join(dir, "none")], 3, /there is no shop's data in .*none/);
  assert.ok(!existsSync(join(dir, "none")));
  refused(["restore", file, "--data", data], 1, /holds a database; with --force/);
  refused(["restore", file, "--data", data, "--force"], 1, /no erasures\.log.*--no-erasures/);
  refused(["restore", file, "--data", data, "--force", "--no-erasures", "--key", file], 2, /exclude each other/);
  refused(["restore", join(dir, "none.db"), "--data", join(dir, "fresh"), "--no-erasures"], 3, /No such file/);
  writeFileSync(join(dir, "text.db"), "no database");
  refused(["restore", join(dir, "text.db"), "--data", join(dir, "fresh"), "--no-erasures"], 1, /not a whole database of attune/);
  copyFileSync(file, join(dir, "cut.db"));
  truncateSync(join(dir, "cut.db"), 50000);
  refused(["restore", join(dir, "cut.db"), "--data", join(dir, "fresh"), "--no-erasures"], 1, /cut\.db is/);
  assert.ok(!existsSync(join(dir, "fresh/attune.db")));
  for (const name of ["erasures.log", "erasure.key"]) writeFileSync(join(data, name), `${name} of the folder\n`);
  const done = run(["restore", file, "--data", data, "--force"]);
  assert.equal(done.code, 0, done.err);
  const kept = readdirSync(data).filter((name) => /^attune\.db\.before-restore-\d{8}T\d{6}\.\d{3}Z$/.test(name));
  assert.equal(kept.length, 1, `${readdirSync(data)}`);
  assert.match(done.out, new RegExp(`the database that was there is .*${kept[0]}`));
  for (const name of ["erasures.log", "erasure.key"]) assert.equal(readFileSync(join(data, name), "utf8"), `${name} of the folder\n`);
  assert.equal(run(["backup", join(dir, "y.db"), "--shop", shop.dir]).code, 0, "of a shop that nobody serves");
});

test("a restored shop sends nothing until it is told to, over restarts", async (t) => {
  const shop = await serve(t), file = join(folder(t, {}), "x.db"), data = join(folder(t, {}), "data");
  assert.equal((await shop.get("/ready")).body.sending, "ok");
  assert.deepEqual((await shop.post("/v1/sending/resume", {})).body, { sending: "ok", was_held: false });
  assert.equal(run(["backup", file, "--shop", shop.dir]).code, 0);
  assert.equal(run(["restore", file, "--data", data, "--no-erasures"]).code, 0);
  const other = shopOf(t, data);
  for (let i = 0; i < 2; i++) {
    await other.start();
    assert.match(other.log, /sending: this shop was restored \(20[\dT:.-]+Z, from a backup of 20[\dT:.-]+Z\): nothing is sent until attune resume/);
    assert.equal((await other.get("/ready")).body.sending, "held");
    assert.match((await other.get("/metrics")).text, /attune_sending_held 1\n/);
    await other.stop(i ? "SIGKILL" : "SIGTERM");
  }
  await other.start();
  assert.equal(run(["resume", "--data", data]).out, "the shop sends again\n");
  assert.equal((await other.get("/ready")).body.sending, "ok");
  await other.stop("SIGKILL");
  await other.start();
  assert.equal((await other.get("/ready")).body.sending, "ok");
  assert.doesNotMatch(other.log, /was restored/);
  assert.match((await other.get("/metrics")).text, /attune_sending_held 0\n/);
  assert.equal(run(["resume", "--data", data]).out, "the shop was not held: it sends\n");
});

test("killed while it backs up: what stands under the name is whole, the next run replaces the rest", async (t) => {
  const shop = await serve(t), dir = folder(t, {}), file = join(dir, "x.db");
  const stream = new Stream(shop, 20000);
  await stream.some(100);
  const began = Date.now();
  assert.equal(run(["backup", join(dir, "first.db"), "--shop", shop.dir]).code, 0);
  const takes = Date.now() - began;
  let cut = 0, whole = 0;
  for (let round = 0; round < rounds; round++) {
    const before = existsSync(file) ? readFileSync(file) : undefined, isHere = round % 3 === 2; /* nobody serves: the verb does it */
    if (isHere) await shop.stop();
    else {
      stream.stopped = false;
      stream.start();
    }
    const making = verb("backup", file, "--shop", shop.dir, "--force");
    await wait(random(1.5 * takes));
    if (!isHere) await shop.stop("SIGKILL");
    else making.child.kill("SIGKILL");
    await stream.end();
    const made = await making.ended;
    if (existsSync(`${file}.part`)) cut++;
    if (made.code === 0) whole++;
    else if (before) assert.ok(existsSync(file), "what was there is there");
    if (existsSync(file)) {
      const tried = join(dir, `data-${round}`);
      assert.equal(run(["restore", file, "--data", tried, "--no-erasures"]).code, 0);
    } else assert.notEqual(made.code, 0);
    await shop.start();
    const ids = await found(shop);
    for (const id of stream.answered.keys()) assert.equal(ids.get(id), 1, `${id} after round ${round}, seed ${seed}`);
  }
  const last = run(["backup", file, "--shop", shop.dir, "--force"]);
  assert.equal(last.code, 0, last.err);
  assert.deepEqual(readdirSync(dir).filter((name) => name.startsWith("x.db")), ["x.db"]);
  console.log(`property: seed ${seed}, ${rounds} kills, ${cut} times a part was left, ${whole} times the backup was made before it`);
});

test("killed while it restores: the old folder or the new one", async (t) => {
  const shop = await serve(t), dir = folder(t, {}), file = join(dir, "x.db"), data = join(shop.dir, "data");
  const stream = new Stream(shop, 20000);
  await shop.post("/v1/identify", { userId: "gone" });
  assert.equal((await shop.call("DELETE", "/v1/customers/by/user_id/gone")).status, 200);
  await stream.some(100);
  const inBackup = stream.answered.size;
  assert.equal(run(["backup", file, "--shop", shop.dir]).code, 0);
  await stream.some(20);
  await shop.stop();
  for (const name of ["erasures.log", "erasure.key"]) copyFileSync(join(data, name), join(dir, name));
  copyFileSync(join(data, "attune.db"), join(dir, "all.db"));
  const began = Date.now();
  assert.equal(run(["restore", file, "--data", join(dir, "elsewhere"), "--no-erasures"]).code, 0);
  const takes = Date.now() - began;
  let old = 0, fresh = 0;
  for (let round = 0; round < rounds; round++) {
    for (const name of readdirSync(data)) if (name !== "lock") unlinkSync(join(data, name));
    copyFileSync(join(dir, "all.db"), join(data, "attune.db"));
    copyFileSync(join(dir, "erasure.key"), join(data, "erasure.key"));
    const restoring = verb("restore", file, "--data", data, "--force", "--erasures", join(dir, "erasures.log"), "--key", join(dir, "erasure.key"));
    await wait(random(1.5 * takes));
    restoring.child.kill("SIGKILL");
    await restoring.ended;
    await shop.start();
    const held = (await shop.get("/ready")).body.sending === "held", ids = await found(shop);
    assert.equal(ids.size, held ? inBackup : stream.answered.size, `seed ${seed}, round ${round}`);
    assert.equal(existsSync(join(data, "erasures.log")), held);
    held ? fresh++ : old++;
    await shop.stop();
  }
  console.log(`property: seed ${seed}, ${rounds} kills, ${old} times the old folder, ${fresh} times the new one`);
});

test("a stop does not wait for a backup, and says so to who waits for it", async (t) => {
  const shop = await serve(t), dir = folder(t, {}), file = join(dir, "x.db");
  await new Stream(shop, 25000).some(200);
  const making = verb("backup", file, "--shop", shop.dir);
  await until(async () => (await shop.get("/v1/backup")).body.state === "copying", { every: 1 });
  const other = await local(shop.dir, "POST", "/v1/backup", { file: join(dir, "y.db") });
  assert.deepEqual([other.status, other.body.error?.code], [409, "backup_running"]);
  assert.equal((await shop.stop()).code, 0);
  const made = await making.ended;
  assert.equal(made.code, 3, made.out);
  assert.match(made.err, /the shop is closing: the backup to .* was given up, nothing is left of it/);
  assert.deepEqual(readdirSync(dir), []);
});

test("nobody else reads what is kept, whatever the umask", async (t) => {
  for (const umask of [0o000, 0o022]) {
    const before = process.umask(umask), dir = folder(t, {}), data = join(folder(t, {}), "data");
    t.after(() => process.umask(before));
    const shop = await serve(t, basicShop(), { args: ["--data", data] });
    await shop.call("PUT", "/v1/catalog/items", products(20));
    const stream = new Stream(shop, 2000);
    stream.start();
    await wait(500);
    assert.equal((await verb("backup", join(dir, "x.db"), "--data", data).ended).code, 0);
    await shop.post("/v1/rank", { customer: { anonymous_id: "v1" }, ranking: "collection", where: {}, explain: true });
    await stream.end();
    const modes = () => Object.fromEntries(readdirSync(data).map((name) => [name, (statSync(join(data, name)).mode & 0o777).toString(8)]));
    const private_ = (...names) => Object.fromEntries(names.map((name) => [name, "600"]));
    assert.deepEqual(modes(), private_("attune.db", "attune.db-shm", "attune.db-wal", "attune.sock", "erasure.key", "lock"));
    await shop.stop();
    assert.equal(run(["restore", join(dir, "x.db"), "--data", data, "--no-erasures", "--force"]).code, 0);
    await shop.start();
    for (const [name, mode] of Object.entries(modes())) assert.equal(mode, "600", name);
    assert.equal((statSync(data).mode & 0o777).toString(8), "700");
    assert.equal((statSync(join(dir, "x.db")).mode & 0o777).toString(8), "600");
    process.umask(before);
    await shop.stop();
  }
});
