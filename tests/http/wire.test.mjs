// SPDX-License-Identifier: Apache-2.0
//
// Hostile bytes on the wire: llhttp's own vectors through the real server, smuggling shapes, limits, slow readers.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import net from "node:net";
import { test } from "node:test";
import { program, raw, serve, sharedData } from "./harness.mjs";

const get = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n";
const alive = async (shop) => assert.equal((await shop.get("/health")).status, 200);

test("smuggling shapes are refused and the connection is closed", async (t) => {
  const shop = await serve(t);
  const shapes = [
    "POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd",
    "POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST /v1/track HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "POST /v1/track HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length: +4\r\n\r\nabcd",
    "POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length : 4\r\n\r\nabcd",
    "GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "GET /health HTTP/1.1\r\nHost: x\r\n Folded: y\r\n\r\n",
    "GET /health HTTP/1.1\nHost: x\n\nGET / HTTP/1.1\r\n\r\n",
    "BREW /pot HTCPCP/1.0\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00", "GET /health HTTP/9.9\r\n\r\n",
  ];
  for (const shape of shapes) {
    const answer = await raw(shop.port, shape + get, { quiet: 1500 });
    assert.match(answer.text, /^HTTP\/1\.1 (400|501) /, JSON.stringify(shape) + answer.text);
    assert.equal(answer.text.match(/HTTP\/1\.1 /g).length, 1, `what follows is not read: ${JSON.stringify(shape)}`);
  }
  await alive(shop);
});

test("pipelined requests are answered in order", async (t) => {
  const shop = await serve(t);
  const body = '{"anonymousId":"v","event":"A"}';
  const post = `POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const answer = await raw(shop.port, get + post + get + post + "GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  assert.deepEqual([...answer.text.matchAll(/HTTP\/1\.1 (\d+)/g)].map((found) => found[1]), ["200", "200", "200", "200", "404"]);
  assert.ok(answer.closed);
  const chunked = "POST /v1/track HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + [...body].map((c) => `1\r\n${c}\r\n`).join("") + "0\r\n\r\n";
  assert.match((await raw(shop.port, chunked)).text, /200 OK/);
  assert.match((await raw(shop.port, `POST /v1/track HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`)).text, /100 Continue/);
});

test("limits of a head are answered with 431", async (t) => {
  const shop = await serve(t);
  assert.match((await raw(shop.port, `GET /health HTTP/1.1\r\nX: ${"y".repeat(20000)}\r\n\r\n`)).text, /^HTTP\/1\.1 431/);
  assert.match((await raw(shop.port, `GET /health HTTP/1.1\r\n${"A: b\r\n".repeat(70)}\r\n`)).text, /^HTTP\/1\.1 431/);
  assert.match((await raw(shop.port, `GET /${"x".repeat(20000)} HTTP/1.1\r\n\r\n`)).text, /^HTTP\/1\.1 431/);
  await alive(shop);
});

test("half a request every way: nothing is answered, nothing is held for ever", async (t) => {
  const shop = await serve(t);
  const whole = 'POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length: 31\r\n\r\n{"anonymousId":"v","event":"A"}';
  for (let n = 0; n < whole.length; n += 7) {
    const socket = net.connect(shop.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.end(whole.slice(0, n));
  }
  await alive(shop);
});

test("a slow reader never grows memory", async (t) => {
  const shop = await serve(t);
  const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${shop.child.pid}/status`, "utf8"))[1]);
  const before = rss();
  const sockets = Array.from({ length: 20 }, () => {
    const socket = net.connect(shop.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.pause();
    socket.write("GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n".repeat(2000));
    return socket;
  });
  await new Promise((done) => setTimeout(done, 1500));
  await alive(shop);
  const grown = rss() - before;
  sockets.forEach((socket) => socket.destroy());
  if (/debug|tsan/.test(program)) return; /* a sanitizer keeps what was freed */
  assert.ok(grown < 60000, `${grown} kB more for 20 readers that do not read 2,000 answers of 20 kB`);
});

test("llhttp's vectors: what it refuses is refused, what it takes never harms", async (t) => {
  const dir = join(sharedData, "llhttp-vectors");
  if (!existsSync(dir)) return t.skip("skipped: no data");
  const files = readdirSync(dir, { recursive: true }).map(String).filter((name) => name.endsWith(".md") && /request/.test(name));
  const shop = await serve(t);
  let count = 0, refused = 0;
  for (const name of files) {
    const text = readFileSync(join(dir, name), "utf8");
    for (const [, kind, input, log] of text.matchAll(/<!-- meta=(\{.*?\}) -->(?:(?!<!-- meta)[^])*?```http\n([^]*?)\n```(?:(?!<!-- meta)[^])*?```log\n([^]*?)\n```/g)) {
      const meta = JSON.parse(kind);
      const lenient = Object.keys(meta).some((key) => /lenient/i.test(key)) || /lenient/i.test(meta.type ?? "");
      const bytes = input.replace(/\\(\n|\r)/g, "").replace(/\n/g, "\r\n").replace(/\r\r\n/g, "\r\n")
        .replace(/\\r/g, "\r").replace(/\\n/g, "\n").replace(/\\t/g, "\t").replace(/\\f/g, "\f").replace(/\\x([0-9a-fA-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
      const answer = await raw(shop.port, Buffer.from(bytes, "latin1"), { quiet: 60 });
      count++;
      if (lenient || !/error code=/.test(log) || /error code=2[1-9]/.test(log)) continue; /* 21…: paused by the vector itself */
      refused++;
      assert.ok(/^(HTTP\/1\.1 (2\d\d|4\d\d|501|415) [^]*)*HTTP\/1\.1 (4\d\d|501)/.test(answer.text) || answer.text === "" || answer.closed,
        `${name}: ${JSON.stringify(bytes.slice(0, 200))} → ${answer.text.slice(0, 200)}`);
    }
  }
  console.log(`property: ${count} vectors, ${refused} of them refused by llhttp`);
  assert.equal(count, 166, "all of them");
  await alive(shop);
});
