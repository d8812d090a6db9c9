// SPDX-License-Identifier: Apache-2.0
//
// What operators see: metrics as documented, logs, the live stream, the clock, graceful ends.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { products, root, serve, until } from "./harness.mjs";

test("the metrics are those of docs/operate.md, with bounded labels", async (t) => {
  const shop = await serve(t);
  for (let i = 0; i < 30; i++) await shop.get(`/v1/customers/by/anonymous_id/x${i}`);
  await shop.post("/v1/rank", { ranking: "collection", where: {} });
  const text = (await shop.get("/metrics")).text;
  const names = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map((found) => found[1]));
  const documented = new Set([...readFileSync(join(root, "docs/operate.md"), "utf8").matchAll(/^\| `(attune_\w+)/gm)].map((found) => found[1]));
  assert.deepEqual([...names].sort(), [...documented].sort());
  assert.ok(text.split("\n").length < 400, "no label for each visitor");
  assert.match(text, /attune_http_requests_total\{route="customer_by",status="4xx"\} 30/);
});

test("logs are one line each, as text or JSON, without personal data", async (t) => {
  const shop = await serve(t, undefined, { args: ["--log", "json"] });
  await shop.post("/v1/identify", { userId: "ann", traits: { email: "ann@example.com" } });
  await shop.stop();
  const lines = shop.log.trim().split("\n").map((line) => JSON.parse(line));
  assert.ok(lines.every((line) => line.time && line.level && line.room && line.message));
  assert.ok(!shop.log.includes("example.com"));
});

test("the live stream tells of events, decisions and reloads", async (t) => {
  const shop = await serve(t);
  const response = await fetch(`${shop.url}/v1/live`);
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  const reader = response.body.getReader();
  let text = "";
  const reading = (async () => {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      text += Buffer.from(value).toString();
    }
  })().catch(() => {});
  await shop.post("/v1/track", { anonymousId: "v", event: "Product Viewed" });
  await shop.post("/v1/scripts", { files: { "scripts/x.lua": 'ranking "x" { score = function(product) return 1 end }\n' } });
  await until(() => text.includes("event: event") && text.includes("event: reload"));
  assert.ok(!text.includes("backfill"));
  await shop.post("/v1/import", { batch: [{ type: "track", anonymousId: "v", event: "Product Viewed", timestamp: "2026-05-01" }] });
  await until(() => /"timestamp":"2026-05-01T00:00:00.000Z","backfill":true\}/.test(text));
  await reader.cancel();
  await reading;
});

test("a slow reader of the live stream is told how much it lost, and the metrics too", async (t) => {
  const shop = await serve(t);
  const socket = net.connect(shop.port, "127.0.0.1");
  t.after(() => socket.destroy());
  socket.write("GET /v1/live HTTP/1.1\r\nHost: x\r\n\r\n");
  let text = await new Promise((done) => socket.once("data", (bytes) => done(bytes.toString("latin1"))));
  socket.pause();
  const sent = 45000, each = 1500, event = "E".repeat(150);
  for (let i = 0; i < sent; i += each) {
    const batch = Array.from({ length: each }, (_, k) => ({ type: "track", anonymousId: `v${k % 50}`, event }));
    assert.equal((await shop.post("/v1/batch", { batch })).status, 200);
  }
  const lost = async () => Number(/^attune_live_dropped_total (\d+)/m.exec((await shop.get("/metrics")).text)[1]);
  await until(async () => (await lost()) > 0);
  socket.on("data", (bytes) => (text += bytes.toString("latin1")));
  socket.resume();
  const got = () => text.split("\nevent: event\n").length - 1;
  const told = () => [...text.matchAll(/event: dropped\ndata: \{"count":(\d+)\}/g)].reduce((sum, found) => sum + Number(found[1]), 0);
  await until(() => got() + told() === sent, { within: 20000 });
  assert.ok(told() > 0 && got() > 0, `${got()} of ${sent} came, ${told()} did not`);
  assert.equal(await lost(), told());
  await shop.post("/v1/track", { anonymousId: "v", event: "after" });
  await until(() => text.includes('"name":"after"')); /* in place again */
});

test("serve --now sets the clock", async (t) => {
  const shop = await serve(t, undefined, { args: ["--now", "2011-10-08T00:00:00Z"] });
  await shop.post("/v1/track", { userId: "u", event: "A" });
  const at = (await shop.get("/v1/customers/by/user_id/u/timeline")).body.events[0].timestamp;
  assert.ok(at.startsWith("2011-10-08T00:0"), at);
});

test("SIGTERM answers what is in flight and commits what is queued; a second one ends at once", async (t) => {
  const shop = await serve(t);
  await shop.call("PUT", "/v1/catalog/items", products(5));
  const answers = Array.from({ length: 200 }, (_, i) => shop.post("/v1/track", { anonymousId: `v${i}`, event: "A", messageId: `m${i}` }).catch(() => null));
  await new Promise((done) => setTimeout(done, 30));
  const ended = shop.stop();
  const taken = (await Promise.all(answers)).filter((answer) => answer?.status === 200).length;
  assert.equal((await ended).code, 0);
  await shop.start();
  let found = 0;
  for (let i = 0; i < 200; i++) found += (await shop.get(`/v1/customers/by/anonymous_id/v${i}`)).status === 200;
  assert.ok(found >= taken, `${taken} answered, ${found} there`);
});
