// SPDX-License-Identifier: Apache-2.0
//
// Errors: one shape, the right status, a code for programs, a sentence for people, the byte or the field it is about; the
// headers that belong to a status; and that a refused request changes nothing.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { basic, basicShop, bearer, KEYS, products, raw, serve, sharedData, until } from "./harness.mjs";

const secret = bearer("sk_first_1"), write = basic("wk_first_1");

/** The shape every error has. */
function shape(answer, status, code, field) {
  const error = answer.body?.error;
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.headers.get("content-type"), "application/json");
  assert.deepEqual(Object.keys(answer.body), ["error"]);
  assert.ok(Object.keys(error).every((one) => ["code", "message", "field", "findings"].includes(one)), answer.text);
  assert.match(error.code, /^[a-z][a-z0-9_]*$/);
  assert.ok(error.message.length >= 10 && !/[\r\n]/.test(error.message), error.message);
  if (code) assert.equal(error.code, code, answer.text);
  if (field) assert.equal(error.field, field, answer.text);
  assert.equal(answer.headers.get("www-authenticate") !== null, status === 401);
  assert.equal(answer.headers.get("retry-after") !== null, [429, 503].includes(status));
  assert.equal(answer.headers.get("allow") !== null, status === 405);
  return error;
}

test("each status has its code, its headers and a sentence", async (t) => {
  const shop = await serve(t, basicShop(KEYS));
  await shop.call("PUT", "/v1/catalog/items", products(20), secret);
  const post = (path, body, headers = secret) => shop.post(path, body, headers);
  shape(await post("/v1/track", "{"), 400, "bad_json");
  shape(await post("/v1/rank", "[]"), 400, "not_an_object");
  shape(await post("/v1/scripts", "[]"), 400, "not_an_object");
  shape(await post("/v1/generations/1/activate", "[]"), 400, "not_an_object");
  shape(await post("/v1/track", { event: "A" }), 400, undefined, "userId");
  shape(await post("/v1/track", { anonymousId: "v", event: "A" }, {}), 401, "no_key");
  shape(await post("/v1/track", { anonymousId: "v", event: "A" }, bearer("nonsense")), 401, "no_key");
  shape(await shop.get("/v1/scripts", write), 403, "secret_only");
  shape(await post("/v1/rank", { ranking: "collection", where: {}, explain: true }, write), 403, undefined, "explain");
  shape(await post("/v1/rank", { ranking: "collection", where: {}, at: "2020-01-01T00:00:00Z" }, write), 403, undefined, "at");
  shape(await shop.get("/v1/nothing"), 404, "unknown_address");
  shape(await shop.get("/v1/catalog/items/none", secret), 404, "unknown_item");
  shape(await shop.get("/v1/customers/none", secret), 404, "unknown_customer");
  shape(await shop.get("/v1/decisions/none", secret), 404, "unknown_decision");
  shape(await shop.get("/v1/imports/none", secret), 404, "unknown_import");
  shape(await post("/v1/generations/99/activate", {}), 404, "unknown_generation");
  shape(await post("/v1/generations/x/activate", {}), 404, "unknown_generation");
  shape(await post("/v1/search", {}), 404, "not_in_this_version");
  shape(await shop.get("/v1/track"), 405, "method_not_allowed");
  await post("/v1/track", { anonymousId: "v", event: "A", messageId: "m" });
  shape(await post("/v1/track", { anonymousId: "v", event: "B", messageId: "m" }), 409);
  shape(await post("/v1/scripts", { files: {}, expect: 77 }), 409);
  shape(await post("/v1/track", "x".repeat(700 * 1024)), 413);
  shape(await post("/v1/track", "<a/>", { ...secret, "content-type": "application/xml" }), 415, "unsupported_type", "content-type");
  shape(await post("/v1/track", "x", { ...secret, "content-encoding": "br" }), 415);
  const near = shape(await post("/v1/rank", { ranking: "colection", where: {} }), 422, "unknown_ranking", "ranking");
  assert.match(near.message, /did you mean "collection"/);
  shape(await post("/v1/rank", { ranking: "collection", where: {}, limitt: 3 }), 422, "unknown_field", "limitt");
  shape(await post("/v1/scripts", {}), 422, "no_files", "files");
  shape(await post("/v1/scripts", { files: {}, expect: "one" }), 422, "bad_number", "expect");
  shape(await post("/v1/scripts", { files: {}, message: 7 }), 422, "bad_text", "message");
  shape(await post("/v1/generations/1/activate", { restore: "yes" }), 422, "bad_boolean", "restore");
  shape(await shop.call("PUT", "/v1/catalog/items?complete=true", products(3), secret), 422, "too_many_retired");
  const bad = shape(await post("/v1/scripts", { files: { "scripts/x.lua": 'ranking "x" {' } }), 422, "invalid_scripts", "files");
  assert.ok(bad.findings.length > 0 && bad.findings.every((one) => one.path === "scripts/x.lua" && one.line >= 1 && one.message));
  assert.ok(!/wk_first_1|sk_first_1|nonsense/.test(shop.log), "no key in the log");
});

test("what the server itself refuses has the same shape, and is counted", async (t) => {
  const shop = await serve(t);
  const refused = [["NONSENSE\r\n\r\n", /^HTTP\/1\.1 400 /], [`GET /health HTTP/1.1\r\nX: ${"y".repeat(20000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
    ["POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n", /^HTTP\/1\.1 413 /], ["TRACE /health HTTP/1.1\r\nHost: x\r\n\r\n", /^HTTP\/1\.1 501 /]];
  for (const [bytes, status] of refused) {
    const { text } = await raw(shop.port, bytes);
    assert.match(text, status, text);
    const body = JSON.parse(text.slice(text.indexOf("\r\n\r\n") + 4));
    assert.match(body.error.code, /^[a-z][a-z0-9_]*$/);
    assert.ok(body.error.message.length >= 10);
  }
  const metrics = (await shop.get("/metrics")).text;
  assert.ok(Number(/attune_http_requests_total\{route="none",status="4xx"\} (\d+)/.exec(metrics)[1]) >= 3, metrics);
});

test("wrong JSON is 400 with what is wrong and the byte, under every content type that is read", async (t) => {
  const shop = await serve(t, basicShop(KEYS));
  const wrong = [['{"a":1,}', 7], ["", 0], ['{"a":}', 5], ["{'a':1}", 1], ['{"a":01}', 5], ['{"a":"b', 5], ['{"a":"\\x"}', 6], ['{"a":tru}', 5], ["nul", 0], ['{"a":1}x', 7], ['{"a":1e999}', 5]];
  const types = ["application/json", "application/json; charset=utf-8", "Application/JSON", "text/plain", "text/plain;charset=UTF-8", undefined];
  for (const [text, byte] of wrong)
    for (const path of ["/v1/track", "/v1/batch", "/v1/rank", "/v1/decide"]) {
      const answer = await shop.call("POST", path, text, write);
      const error = shape(answer, 400, "bad_json");
      const said = /at byte (\d+)/.exec(error.message);
      assert.ok(said, `${JSON.stringify(text)}: ${error.message}`);
      assert.ok(Math.abs(Number(said[1]) - byte) <= 2, `${JSON.stringify(text)} is wrong at byte ${byte}: ${error.message}`);
    }
  for (const type of types) {
    const body = Buffer.from('{"anonymousId":"v","event":"A"}'), head = type ? `Content-Type: ${type}\r\n` : "";
    const send = async (bytes) => (await raw(shop.port, `POST /v1/track HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer wk_first_1\r\n${head}Connection: close\r\nContent-Length: ${bytes.length}\r\n\r\n${bytes}`)).text;
    assert.match(await send(body), /^HTTP\/1\.1 200 /, `${type}`);
    assert.match(await send("{nope"), /^HTTP\/1\.1 400 [^]*bad_json/, `${type}`);
  }
  const deep = (n) => `${'{"a":'.repeat(n)}1${"}".repeat(n)}`;
  assert.equal((await shop.call("POST", "/v1/track", deep(2000), write)).status, 413, "nested too deep");
  const invalid = await shop.call("POST", "/v1/rank", new Uint8Array([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xc3, 0x28, 0x22, 0x7d]), write);
  assert.match(shape(invalid, 400, "bad_json").message, /byte 6.*UTF-8/);
});

test("all of the JSON test suite: what is no JSON is 400, what is may only be refused for what it says", async (t) => {
  const dir = join(sharedData, "jsontestsuite");
  if (!existsSync(dir)) return t.skip("skipped: no data");
  const shop = await serve(t, basicShop(KEYS));
  const files = readdirSync(dir, { recursive: true }).map(String).filter((name) => name.endsWith(".json"));
  let yes = 0, no = 0, free = 0;
  for (const name of files) {
    const answer = await shop.call("POST", "/v1/rank", new Uint8Array(readFileSync(join(dir, name))), write), verdict = name.split("/").pop()[0];
    if (verdict === "i" || name.includes("test_transform")) { /* free to take or refuse; never to crash */
      free++;
      assert.ok([400, 413, 422].includes(answer.status), `${name}: ${answer.text}`);
    } else if (verdict === "y") {
      yes++;
      assert.ok([400, 413, 422].includes(answer.status) && answer.body.error.code !== "bad_json", `${name}: ${answer.text}`);
    } else {
      no++;
      assert.ok((answer.status === 400 && answer.body.error.code === "bad_json") || answer.status === 413, `${name}: ${answer.text}`);
    }
  }
  console.log(`property: ${yes} JSON texts taken, ${no} others refused, ${free} of either kind answered`);
  assert.deepEqual([yes, no, free], [95, 188, 57], "the suite as its README counts it");
});

test("a key: where it may travel, what it may do, in whatever spelling", async (t) => {
  const shop = await serve(t, basicShop(KEYS));
  const event = { anonymousId: "v", event: "A" }, b64 = (text) => Buffer.from(text).toString("base64");
  const status = async (headers, body = event) => (await shop.post("/v1/track", body, headers)).status;
  for (const headers of [basic("wk_first_1"), { authorization: `basic ${b64("wk_first_1:")}` }, { authorization: `BASIC   ${b64("wk_second_2")}` }, { authorization: `Basic ${b64("wk_first_1:anything")}` },
    bearer("wk_second_2"), { authorization: "bearer wk_first_1" }, bearer("sk_second_2")]) assert.equal(await status(headers), 200, JSON.stringify(headers));
  for (const headers of [{ authorization: "wk_first_1" }, { authorization: "Digest wk_first_1" }, { authorization: "Basic" }, { authorization: "Bearer" }, { authorization: "Basic ====" }, { authorization: "Basic !!!" },
    { authorization: `Basic ${b64(":wk_first_1")}` }, { authorization: `Basic ${b64("wk_first_1 :")}` }, bearer("wk_first_"), bearer("wk_first_11"), bearer("WK_FIRST_1"), bearer("wk_first_1:"),
    bearer("x".repeat(5000)), basic("x".repeat(5000))]) assert.equal(await status(headers), 401, JSON.stringify(headers).slice(0, 100));
  assert.equal(await status({}, { ...event, writeKey: "wk_first_1" }), 200);
  for (const writeKey of ["sk_first_1", "", null, 7, {}, ["wk_first_1"], "wk_first_1\u0000"]) assert.equal(await status({}, { ...event, writeKey }), 401, JSON.stringify(writeKey));
  assert.equal(await status(bearer("nonsense"), { ...event, writeKey: "wk_first_1" }), 401, "the header counts, not the body");
  assert.equal((await shop.get("/v1/projects/sk_first_1/settings")).status, 401, "a secret key does not travel in an address");
  assert.equal((await shop.post("/v1/scripts", { files: {}, writeKey: "wk_first_1" })).status, 401, "only pages carry keys in bodies");
  const two = await raw(shop.port, "GET /v1/scripts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer wk_first_1\r\nAuthorization: Bearer sk_first_1\r\nConnection: close\r\n\r\n");
  assert.ok(!/^HTTP\/1\.1 200/.test(two.text), "of two keys the stronger is not picked");
});

test("what is refused changes nothing", async (t) => {
  const shop = await serve(t, basicShop(KEYS));
  await shop.call("PUT", "/v1/catalog/items", products(5), secret);
  const state = async () => JSON.stringify([(await shop.get("/v1/scripts", secret)).body, (await shop.get("/v1/generations", secret)).body, (await shop.get("/ready")).body, (await shop.get("/v1/catalog/items/SKU-1", secret)).body,
    (await shop.get("/v1/customers/by/anonymous_id/v", secret)).status]);
  const before = await state();
  const script = 'ranking "z" { score = function(product) return 1 end }\n', event = { anonymousId: "v", event: "A" };
  for (const headers of [{}, write, bearer("nonsense")]) {
    await shop.call("PUT", "/v1/scripts/scripts/z.lua", script, headers);
    await shop.post("/v1/scripts", { files: { "scripts/z.lua": script } }, headers);
    await shop.post("/v1/generations/1/activate", {}, headers);
    await shop.post("/v1/generations/publish", {}, headers);
    await shop.call("PUT", "/v1/catalog/items?complete=true&sure=true", [], headers);
    await shop.call("PATCH", "/v1/catalog/items/SKU-1", { stock: 0 }, headers);
    await shop.call("DELETE", "/v1/catalog/items/SKU-1", undefined, headers);
  }
  await shop.post("/v1/track", event, {});
  await shop.post("/v1/track", { ...event, timestamp: "yesterday" }, write);
  await shop.post("/v1/batch", { batch: [event, event], writeKey: "wk_x" });
  await shop.post("/v1/scripts", { files: { "scripts/z.lua": script, "scripts/bad.lua": "ranking {" } }, secret);
  await shop.post("/v1/scripts/check", { files: { "scripts/z.lua": script } }, secret);
  await shop.call("HEAD", "/v1/scripts", undefined, secret);
  assert.equal(await state(), before);
  assert.equal((await shop.post("/v1/track", event, write)).status, 200);
  await until(async () => (await shop.get("/v1/customers/by/anonymous_id/v", secret)).status === 200);
});
