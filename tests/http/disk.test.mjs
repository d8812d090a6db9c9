// SPDX-License-Identifier: Apache-2.0
//
// Disks that are slow, fail, or are full: no 200 leaves early, a failure is 503, nothing answered is lost, service resumes.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { basicShop, folder, root, serve, Server, until } from "./harness.mjs";

function shim(t) {
  const dir = folder(t, {}), out = join(dir, "sync.so");
  const built = spawnSync("cc", ["-D_GNU_SOURCE", "-shared", "-fPIC", "-O1", join(root, "tests/shim/sync.c"), "-o", out, "-ldl"], { encoding: "utf8" });
  assert.equal(built.status, 0, built.stderr);
  return { out, dir };
}
const event = (i) => ({ anonymousId: "v", event: "A", messageId: `m${i}` });

test("no answer leaves before the disk has it", async (t) => {
  const { out } = shim(t);
  const shop = await serve(t, basicShop(), { env: { LD_PRELOAD: out, SYNC_DELAY_MS: "200" } });
  for (let i = 0; i < 5; i++) {
    const begin = performance.now();
    assert.equal((await shop.post("/v1/track", event(i))).status, 200);
    assert.ok(performance.now() - begin >= 199, `answered after ${performance.now() - begin} ms`);
  }
});

test("a disk that fails: 503, nothing half there, then it resumes", async (t) => {
  const { out, dir } = shim(t), flag = join(dir, "fail");
  const shop = await serve(t, basicShop(), { env: { LD_PRELOAD: out, SYNC_FAIL: flag } });
  assert.equal((await shop.post("/v1/track", event(0))).status, 200);
  writeFileSync(flag, "");
  const failed = await shop.post("/v1/track", event(1));
  assert.equal(failed.status, 503, failed.text);
  assert.ok(failed.headers.get("retry-after"));
  rmSync(flag);
  await until(async () => (await shop.post("/v1/track", event(1))).status === 200);
  const ids = (await shop.get("/v1/customers/by/anonymous_id/v/timeline")).body.events.map((one) => one.message_id);
  assert.deepEqual(ids, ["m1", "m0"]);
  await shop.stop("SIGKILL");
  await shop.start();
  assert.equal((await shop.get("/v1/customers/by/anonymous_id/v")).body.counts.a.total, 2);
});

test("a full disk: 503, no loss, service resumes alone", async (t) => {
  let data;
  t.after(() => spawnSync("umount", ["-l", data])); /* before the folder goes */
  const dir = folder(t, basicShop());
  data = join(dir, "data");
  mkdirSync(data);
  if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=6m", "none", data]).status !== 0) return t.skip("skipped: no right to mount");
  const shop = new Server(dir);
  await shop.start();
  t.after(() => shop.stop("SIGKILL"));
  for (const anonymousId of ["p", "q"]) await shop.post("/v1/identify", { anonymousId, userId: "ann" });
  const ann = () => shop.get("/v1/customers/by/user_id/ann").then(({ body }) => JSON.stringify([body.id, body.identifiers, body.counts.identified.total]));
  const whole = await ann(), split = () => shop.post("/v1/customers/by/user_id/ann/unmerge", { identifier: { kind: "anonymous_id", value: "q" } });
  const taken = [];
  let refused = 0, n = 0;
  const pad = "x".repeat(20000);
  while (refused < 5 && n < 3000) {
    const id = `m${n++}`, answer = await shop.post("/v1/track", { anonymousId: "v", event: "A", messageId: id, properties: { pad } });
    if (answer.status === 200) taken.push(id);
    else {
      assert.equal(answer.status, 503, answer.text);
      assert.equal(answer.body.error.code, "disk_full", answer.text);
      refused++;
    }
  }
  assert.ok(refused && taken.length, `${taken.length} taken, ${refused} refused`);
  assert.equal((await shop.post("/v1/rank", { ranking: "collection", where: {} })).status, 200, "decisions go on");
  const unsplit = await split(), unjoined = await shop.post("/v1/identify", { anonymousId: "v", userId: "ann" });
  for (const answer of [unsplit, unjoined]) assert.ok([200, 503].includes(answer.status), answer.text);
  if (unsplit.status === 503 && unjoined.status === 503) assert.equal(await ann(), whole, "joined and taken apart whole or not at all");
  spawnSync("mount", ["-o", "remount,size=64m", data]);
  await until(async () => (await shop.post("/v1/track", { anonymousId: "v", event: "A", messageId: "after" })).status === 200);
  taken.push("after");
  if (unsplit.status === 503) assert.equal((await split()).status, 200);
  assert.notEqual((await shop.get("/v1/customers/by/anonymous_id/q")).body.id, JSON.parse(whole)[0]);
  await shop.stop("SIGKILL");
  await shop.start();
  const seen = new Set();
  for (let cursor = ""; cursor !== null;) {
    const page = (await shop.get(`/v1/customers/by/anonymous_id/v/timeline?limit=500${cursor && `&cursor=${cursor}`}`)).body;
    page.events.forEach((one) => seen.add(one.message_id));
    cursor = page.next;
  }
  assert.deepEqual(taken.filter((id) => !seen.has(id)), []);
  assert.equal((await shop.get("/v1/customers/by/anonymous_id/v")).body.counts.a.total, seen.size);
  await shop.stop("SIGKILL");
});
