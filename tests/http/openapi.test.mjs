// SPDX-License-Identifier: Apache-2.0
//
// The OpenAPI document both ways: it is well-formed, every route it has answers as it says (status, media type, every field),
// what it says of the input is what is taken, and the interface answers at no address that it leaves out.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { join } from "node:path";
import { test } from "node:test";
import { basicShop, bearer, checkSchema, follow, KEYS, local, operations, products, serve } from "./harness.mjs";

const secret = bearer("sk_first_1");

test("the document is a whole OpenAPI 3.1 document", async (t) => {
  const shop = await serve(t);
  const answer = await shop.get("/openapi.json");
  assert.equal(answer.headers.get("content-type"), "application/json");
  const document = answer.body, ids = new Set(), used = new Set();
  assert.match(document.openapi, /^3\.1\.\d+$/);
  assert.ok(document.info.title && /^\d+\.\d+\.\d+/.test(document.info.version));
  const walk = (value) => {
    if (value === null || typeof value !== "object") return;
    if (value.$ref) {
      const name = /^#\/components\/schemas\/(\w+)$/.exec(value.$ref)?.[1];
      assert.ok(document.components.schemas[name], value.$ref);
      used.add(name);
    }
    Object.values(value).forEach(walk);
  };
  walk(document);
  for (const { path, method, operation } of operations(document)) {
    const label = `${method} ${path}`;
    assert.ok(operation.operationId && !ids.has(operation.operationId), label);
    ids.add(operation.operationId);
    assert.ok(operation.summary.length > 5, label);
    const inPath = operation.parameters.filter((one) => one.in === "path");
    assert.deepEqual(inPath.map((one) => one.name), [...path.matchAll(/\{(\w+)\}/g)].map((found) => found[1]), label);
    assert.ok(inPath.every((one) => one.required === true) && operation.parameters.every((one) => one.schema && one.description), label);
    assert.ok(!operation.requestBody || !["GET", "DELETE"].includes(method), label);
    assert.ok(operation.responses["200"] && operation.responses["503"] && operation.responses.default, label);
    assert.ok(operation.responses["503"].headers["Retry-After"]);
    for (const key of operation.security) for (const name of Object.keys(key)) assert.ok(document.components.securitySchemes[name], label);
    for (const [status, response] of Object.entries(operation.responses)) {
      assert.ok(response.description, `${label} ${status}`);
      if (status !== "200") assert.equal(response.content["application/json"].schema.$ref, "#/components/schemas/Error");
    }
  }
  for (const [name, schema] of Object.entries(document.components.schemas)) {
    assert.ok(schema.description, name);
    for (const [field, part] of Object.entries(schema.properties ?? {})) assert.ok(part.description, `${name}.${field}`);
    for (const field of schema.required ?? []) assert.ok(schema.properties[field], `${name}.${field}`);
  }
});

/** A shop with something of everything, and a call for each operation. */
async function world(t) {
  const segments = 'segment "all" { when = function(customer) return true end }\nsegment "bad" { when = function(customer) return customer.traits.email < 1 end }\n';
  const shop = await serve(t, { ...basicShop(KEYS + 'sources { shopify = { secret = "shpss_test" } }\n'), "scripts/segments.lua": segments });
  await shop.call("PUT", "/v1/catalog/items", products(12, (i) => ({ list_price: 99, cost: 1, tags: ["a"], stock: i === 4 ? 0 : 9 })), secret);
  const event = (body) => shop.post("/v1/track", { anonymousId: "v", userId: "ann", context: { page: { url: "https://shop.example/?utm_source=x" }, locale: "de-DE", timezone: "Europe/Berlin" }, ...body }, secret);
  await event({ event: "Product Viewed", properties: { product_id: "SKU-1" }, originalTimestamp: new Date().toISOString(), sentAt: new Date().toISOString() });
  await event({ event: "Product Added", properties: { product_id: "SKU-2", price: 3, quantity: 2 } });
  await event({ event: "Order Completed", properties: { order_id: "1", revenue: 9, products: [{ product_id: "SKU-3", price: 9, quantity: 1 }] } });
  await shop.post("/v1/identify", { anonymousId: "v", userId: "ann", traits: { email: "ann@example.com", phone: "+491701234567" } }, secret);
  const list = { customer: { user_id: "ann" }, ranking: "collection", where: {}, limit: 5, fields: ["title"], explain: true };
  const rank = (await shop.post("/v1/rank", list, secret)).body.decision;
  const decide = { customer: { user_id: "ann" }, context: { page: "home", url: "https://shop.example" }, ask: { a: { ranking: "collection", where: {}, limit: 2 }, b: { ranking: "nope" }, c: { ranking: "collection", items: ["SKU-1", "no"] } } };
  const customer = (await shop.get("/v1/customers/by/user_id/ann", secret)).body.id;
  for (const id of ["leaves", "goes"]) await shop.post("/v1/identify", { userId: id, traits: { email: `${id}@example.com` } }, secret);
  const leaving = (await shop.get("/v1/customers/by/user_id/leaves", secret)).body.id;
  const asked = (await shop.post("/v1/privacy/requests", { kind: "export", identifier: { kind: "user_id", value: "ann" } }, secret)).body.id;
  const bodies = {
    track: { anonymousId: "v", event: "A" }, page: { anonymousId: "v" }, screen: { anonymousId: "v" }, identify: { anonymousId: "v", traits: {} }, group: { anonymousId: "v", groupId: "g" },
    alias: { userId: "u", previousId: "w" }, batch: { batch: [{ type: "track", anonymousId: "v", event: "B", messageId: "1" }, { type: "track", anonymousId: "v", event: "B", messageId: "1" }, { type: "track", anonymousId: "v", event: "C", messageId: "1" }, {}] },
    import: { batch: [{ type: "track", anonymousId: "v", event: "B", timestamp: "2020-01-01T00:00:00Z" }], mark: { name: "first", state: { lines: 1 } }, source: "till" }, rank: list, decide,
    put_items: [{ id: "SKU-1", price: 7, stock: 3 }, { id: "" }, { price: 1 }], patch_items: '{"id":"SKU-1","stock":2}\n{"id":"none","stock":1}\n{bad\n', patch_item: { stock: 3 },
    publish_scripts: { files: { "scripts/n.lua": 'ranking "n" { score = function(product) return 1 end }\n' }, message: "n" }, check_scripts: { files: { "scripts/n.lua": 'ranking "n" { score = function(product) return 1 end }\n' } },
    put_script: 'ranking "x" { score = function(product) return 1 end }\n', activate_generation: { restore: false },
    consent: { purpose: "email_marketing", status: "granted" }, consent_by: { purpose: "sms_marketing", status: "denied", channel: "sms", expires_at: null, proof: { by: "phone" } },
    privacy_request_add: { kind: "erase", identifier: { kind: "email", value: "none@example.com" }, reference: "ticket" }, privacy_request_move: { state: "done" },
    shopify: JSON.stringify({ id: 7, email: "ann@example.com", created_at: "2026-11-26T10:00:00Z", updated_at: "2026-11-26T10:00:00Z", line_items: [] }),
    unmerge: { identifier: { kind: "anonymous_id", value: "v" } }, unmerge_by: { identifier: { kind: "phone", value: "+491701234567" } },
  };
  const values = { "/v1/catalog/": { id: "SKU-1" }, "/v1/customers/": { id: customer, kind: "email", value: "ann@example.com" }, "/v1/decisions/": { id: rank }, "/v1/imports/": { name: "first" }, "/v1/generations/": { id: "1" },
    "/v1/privacy/": { id: asked }, "/v1/scripts/": { path: "scripts/x.lua" }, "/v1/segments/": { name: "all" }, "/v1/blame/": { line: "1", path: "scripts/n.lua" }, "/v1/projects/": { writeKey: "wk_first_1" } };
  const others = { erase: { id: leaving }, erase_by: { kind: "email", value: "goes@example.com" } };
  const address = (path, operationId) => {
    const known = others[operationId] ?? Object.entries(values).find(([prefix]) => path.startsWith(prefix))?.[1] ?? {};
    return path.replace(/\{(\w+)\}/g, (_, name) => (name === "path" ? known[name] : encodeURIComponent(known[name])));
  };
  /* a webhook's key is its signature */
  const keys = (operation, body) => (operation.operationId === "shopify" ? { ...secret, "x-shopify-topic": "orders/create", "x-shopify-hmac-sha256": createHmac("sha256", "shpss_test").update(body).digest("base64") } : secret);
  return { shop, bodies, address, rank, keys };
}

test("every route answers as documented, field by field", async (t) => {
  const { shop, bodies, address, rank, keys } = await world(t);
  const document = (await shop.get("/openapi.json")).body;
  const open = new Set(["Export", "RankedItem", "Item", "SdkSettings", "OpenApi"]); /* fields asked for, attributes of the shop's own */
  const seen = new Set();
  const judge = (path, method, operation, answer) => {
    const label = `${method} ${path}: ${answer.status}`, said = operation.responses[answer.status];
    assert.ok(said, `${label} is not documented: ${answer.text}`);
    const [[media, { schema }]] = Object.entries(said.content);
    assert.equal(answer.headers.get("content-type").split(";")[0], media, label);
    if (media === "application/json") checkSchema(document, schema, answer.body, label, open);
    if (answer.status === 503) assert.ok(answer.headers.get("retry-after"));
    seen.add(`${operation.operationId} ${answer.status}`);
  };
  /* first: it is made again only while its generation is remembered */
  const explained = await shop.get(`/v1/decisions/${rank}?why_not=SKU-5`, secret);
  judge("/v1/decisions/{id}", "GET", document.paths["/v1/decisions/{id}"].get, explained);
  assert.equal(explained.body.not?.[0].because, "only", explained.text);
  assert.equal((await shop.post("/v1/import", bodies.import, secret)).status, 200); /* its mark is asked for */
  const all = operations(document);
  const last = (one) => ["unmerge", "unmerge_by", "delete_item", "activate_generation", "publish_folder"].indexOf(one.operation.operationId);
  all.sort((a, b) => last(a) - last(b));
  for (const { path, method, operation } of all) {
    if (operation.operationId === "live") continue;
    const body = operation.requestBody ? bodies[operation.operationId] ?? {} : undefined;
    const isLocal = operation.operationId === "backup"; /* no key opens it: only who may open the data folder */
    const done = await (isLocal ? local(shop.dir, method, path, { file: join(shop.dir, "copy.db") }) : shop.call(method, address(path, operation.operationId), body, keys(operation, body)));
    assert.equal(done.status, 200, `${method} ${path}: ${done.text}`);
    judge(path, method, operation, done);
    for (const headers of [{}, bearer("wk_first_1"), bearer("nonsense")]) judge(path, method, operation, await shop.call(method, address(path), body, headers));
    if (operation.requestBody && !["put_script", "put_items", "patch_items"].includes(operation.operationId))
      for (const wrong of ["{", "[]", "7", '{"a":"\xff', "null", '{"customer":7,"ask":7,"batch":7,"files":7,"restore":7}']) judge(path, method, operation, await shop.call(method, address(path), wrong, secret));
    if (operation.requestBody && operation.requestBody.content["application/json"] && !["put_items", "patch_items"].includes(operation.operationId))
      judge(path, method, operation, await shop.call(method, address(path), "<a/>", { ...secret, "content-type": "application/xml" }));
    if (path.includes("{") && operation.operationId !== "sdk_settings") judge(path, method, operation, await shop.call(method, path.replace("{kind}", "email").replace(/\{\w+\}/g, "nobody"), body, secret));
    if (path.includes("{")) judge(path, method, operation, await shop.call(method, path.replace(/\{\w+\}/g, "%zz"), body, secret));
  }
  judge("/v1/scripts", "POST", document.paths["/v1/scripts"].post, await shop.post("/v1/scripts", { files: { "scripts/bad.lua": "ranking {" } }, secret));
  judge("/v1/scripts", "POST", document.paths["/v1/scripts"].post, await shop.post("/v1/scripts", { files: {}, expect: 99 }, secret));
  judge("/v1/track", "POST", document.paths["/v1/track"].post, await shop.post("/v1/track", { anonymousId: "v", event: "A", messageId: "1" }, secret));
  judge("/v1/track", "POST", document.paths["/v1/track"].post, await shop.post("/v1/track", "x".repeat(700 * 1024), secret));
  for (const status of [200, 400, 401, 403, 404, 409, 413, 415, 422]) assert.ok([...seen].some((one) => one.endsWith(` ${status}`)), `${status} was seen`);
  const ids = all.map((one) => one.operation.operationId).filter((one) => one !== "live");
  assert.deepEqual(ids.filter((one) => !seen.has(`${one} 200`)), [], "every operation was seen to succeed");
  const live = await fetch(`${shop.url}/v1/live`, { headers: secret });
  assert.ok(document.paths["/v1/live"].get.responses["200"].content[live.headers.get("content-type")]);
  await live.body.cancel();
});

test("what the document requires is required, what it limits is limited", async (t) => {
  const { shop, bodies, address } = await world(t);
  const document = (await shop.get("/openapi.json")).body;
  let count = 0;
  for (const { path, method, operation } of operations(document)) {
    const schema = operation.requestBody?.content["application/json"]?.schema, body = bodies[operation.operationId];
    if (!schema || typeof body !== "object" || Array.isArray(body)) continue;
    for (const field of follow(document, schema).required ?? []) {
      const { [field]: gone, ...rest } = body;
      const answer = await shop.call(method, address(path), rest, secret);
      assert.ok([400, 422].includes(answer.status), `${method} ${path} without ${field}: ${answer.status} ${answer.text}`);
      assert.equal(answer.body.error.field, field, `${method} ${path}: ${answer.text}`);
      assert.ok(gone);
      count++;
    }
  }
  assert.ok(count >= 6, `${count} required fields`);
  const rank = { ranking: "collection", where: {} }, ask = follow(document, { $ref: "#/components/schemas/Rank" }).properties;
  const expect = async (body, status, field, route = "/v1/rank") => {
    const answer = await shop.post(route, body, secret);
    assert.deepEqual([answer.status, answer.body.error?.field], [status, field], answer.text.slice(0, 300));
  };
  await expect({ ...rank, limit: ask.limit.maximum }, 200);
  await expect({ ...rank, limit: ask.limit.maximum + 1 }, 422, "limit");
  await expect({ ...rank, limit: ask.limit.minimum - 1 }, 422, "limit");
  await expect({ ...rank, offset: -1 }, 422, "offset");
  const defaulted = await shop.post("/v1/rank", { ranking: "collection", items: products(40).map((one) => one.id) }, secret);
  assert.ok(defaulted.body.items.length <= ask.limit.default);
  await expect({ ranking: "collection", items: Array(ask.items.maxItems).fill("SKU-1") }, 200);
  await expect({ ranking: "collection", items: Array(ask.items.maxItems + 1).fill("SKU-1") }, 422, "items");
  await expect({ ...rank, fields: Array(ask.fields.maxItems + 1).fill("title") }, 422, "fields");
  const asks = (count) => ({ ask: Object.fromEntries(Array.from({ length: count }, (_, i) => [`a${i}`, rank])) }), most = document.components.schemas.Decide.properties.ask.maxProperties;
  await expect(asks(most), 200, undefined, "/v1/decide");
  await expect(asks(most + 1), 422, "ask", "/v1/decide");
  const events = (count) => ({ batch: Array.from({ length: count }, (_, i) => ({ type: "track", anonymousId: "v", event: "E", messageId: `many-${i}` })) }), batch = document.components.schemas.Batch.properties.batch.maxItems;
  assert.equal((await shop.post("/v1/batch", events(batch), secret)).status, 200);
  assert.equal((await shop.post("/v1/batch", events(batch + 1), secret)).status, 413);
  const limit = document.paths["/v1/customers/{id}/timeline"].get.parameters.find((one) => one.name === "limit").schema;
  for (const [n, status] of [[limit.minimum, 200], [limit.maximum, 200], [limit.minimum - 1, 422], [limit.maximum + 1, 422]])
    assert.equal((await shop.get(`/v1/customers/by/user_id/ann/timeline?limit=${n}`, secret)).status, status, `${n}`);
});

test("the interface answers nowhere else", async (t) => {
  const shop = await serve(t, basicShop(KEYS));
  const document = (await shop.get("/openapi.json")).body;
  /* design/http-api.md's words and whatever else the program might know, as addresses of one to four parts */
  const words = ["v1", "track", "page", "batch", "import", "decide", "rank", "catalog", "items", "customers", "by", "email", "timeline", "decisions", "scripts", "check", "generations",
    "publish", "activate", "health", "ready", "metrics", "live", "debug", "admin", "status", "keys", "settings", "projects", "events", "1"];
  const short = new Set(["t", "p", "i", "s", "g", "a", "b"].map((one) => `/v1/${one}`));
  const patterns = Object.keys(document.paths).map((path) => [new RegExp(`^${path.replace(/\{path\}/, ".+").replace(/\{\w+\}/g, "[^/]+").replace(/\./g, "\\.").replace("\\.+", ".+")}$`), document.paths[path]]);
  const addresses = new Set(words.flatMap((one) => [`/${one}`, ...words.flatMap((two) => [`/v1/${one}/${two}`]), `/v1/${one}`, `/v1/customers/by/email/${one}`, `/v1/customers/x/${one}`, `/v1/catalog/items/${one}/${one}`]));
  for (const one of short) addresses.add(one);
  const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"];
  let count = 0, answered = 0;
  for (const address of addresses) {
    const answers = await Promise.all(methods.map((method) => shop.call(method, address, method === "GET" || method === "DELETE" ? undefined : "{", { authorization: "Bearer nonsense" })));
    answers.forEach((answer, i) => {
      const there = patterns.filter(([pattern]) => pattern.test(address)).some(([, operations]) => operations[methods[i].toLowerCase()]) || (short.has(address) && methods[i] === "POST");
      const isAnswered = ![404, 405].includes(answer.status);
      /* with a wrong key a route that is there says 401, or 200 where no key is needed */
      assert.equal(isAnswered, there, `${methods[i]} ${address}: ${answer.status}, ${there ? "" : "not "}documented`);
      answered += isAnswered;
      count++;
    });
  }
  console.log(`property: ${count} addresses and methods, ${answered} answered`);
  assert.ok(count > 1000 && answered > 50);
});
