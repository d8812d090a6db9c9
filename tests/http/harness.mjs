// SPDX-License-Identifier: Apache-2.0
//
// Starts the real program on a free port with a folder of its own, speaks HTTP to it, ends it by its process id.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, mkdirSync, writeFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import http from "node:http";
import net from "node:net";

const here = dirname(fileURLToPath(import.meta.url));
export const root = resolve(here, "../..");
export const program = process.env.ATTUNE ?? join(root, "build/attune");
export const sharedData = process.env.SHARED_DATA ?? join(root, "../shared/data");

export const SHOP = 'shop "test" { currency = "EUR", timezone = "UTC" }\n';
export const KEYS = SHOP + `keys {
  write = { default = "wk_first_1", web = "wk_second_2" }, secret = { default = "sk_first_1", ops = "sk_second_2" },
  origins = { "https://shop.example" },
}\n`;
export const RANKING = `ranking "collection" {
  score = function(product)
    return 0.60 * product.affinity + 0.30 * product.popularity + product.rating:or_else(0) / 100
  end,
}\n`;
export const RAIL = 'rail "in stock only" { only = function(product) return product.stock:above(0) end }\n';

/** A folder with files ({"scripts/a.lua": "text"}); removed by the test's end. */
export function folder(t, files) {
  const dir = mkdtempSync(join(tmpdir(), "attune-test-"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
  t?.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

export const basicShop = (settings = SHOP) => ({
  "shop.lua": settings,
  "scripts/rankings/collection.lua": RANKING,
  "scripts/rails/stock.lua": RAIL,
});

export class Server {
  constructor(dir, args = [], env = {}) {
    this.dir = dir;
    this.args = args;
    this.env = env;
    this.log = "";
  }
  async start(port = 0) {
    this.log = "";
    this.child = spawn(program, ["serve", this.dir, "--listen", `127.0.0.1:${port}`, "--workers", "2", ...this.args], {
      env: { ...process.env, ...this.env }, stdio: ["ignore", "ignore", "pipe"],
    });
    this.exited = new Promise((done) => this.child.once("exit", (code, signal) => done({ code, signal })));
    this.child.stderr.setEncoding("utf8");
    await new Promise((done, fail) => {
      const timer = setTimeout(() => fail(new Error(`not up in time:\n${this.log}`)), 30000);
      this.child.stderr.on("data", (text) => {
        this.log += text;
        const found = /listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(this.log);
        if (!found || this.port) return;
        this.port = Number(found[1]);
        clearTimeout(timer);
        done();
      });
      this.exited.then(({ code, signal }) => {
        clearTimeout(timer);
        if (!this.port) fail(new Error(`ended with ${code ?? signal}:\n${this.log}`));
      });
    });
    this.url = `http://127.0.0.1:${this.port}`;
    return this;
  }
  async stop(signal = "SIGTERM") {
    if (!this.child) return { code: 0 };
    this.child.kill(signal);
    const timer = setTimeout(() => this.child.kill("SIGKILL"), 20000);
    const result = await this.exited;
    clearTimeout(timer);
    this.child = undefined;
    this.lastPort = this.port;
    this.port = undefined;
    return result;
  }
  /** One request; body: object (JSON) or text. Answers {status, headers, body, text}. */
  async call(method, path, body, headers = {}) {
    const isText = typeof body === "string" || body instanceof Uint8Array;
    const response = await fetch(this.url + path, {
      method, body: body === undefined ? undefined : isText ? body : JSON.stringify(body),
      headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
    });
    const text = await response.text();
    let json;
    try {
      json = JSON.parse(text);
    } catch {
      json = undefined;
    }
    return { status: response.status, headers: response.headers, body: json, text };
  }
  get(path, headers) {
    return this.call("GET", path, undefined, headers);
  }
  post(path, body, headers) {
    return this.call("POST", path, body, headers);
  }
}

/** One request through the socket in the data folder, as attune's other verbs make it. Answers {status, body}. */
export function local(dir, method, path, body, data = join(dir, "data")) {
  return new Promise((done, fail) => {
    const request = http.request({ socketPath: join(data, "attune.sock"), method, path, headers: { "content-type": "application/json" } }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (piece) => (text += piece));
      response.on("end", () => done({ status: response.statusCode, headers: new Headers(response.headers), body: JSON.parse(text), text }));
    });
    request.on("error", fail);
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** A running server, stopped at the test's end. */
export async function serve(t, files = basicShop(), { args = [], env = {} } = {}) {
  const server = new Server(folder(t, files), args, env);
  await server.start();
  t?.after(() => server.stop("SIGKILL"));
  return server;
}

export const products = (count, make = () => ({})) =>
  Array.from({ length: count }, (_, i) => ({
    id: `SKU-${i + 1}`, title: `Product ${i + 1}`, brand: `Brand ${i % 7}`, category: `category-${i % 5}`,
    price: 10 + i, stock: 5, ...make(i),
  }));

export async function until(check, { every = 20, within = 10000 } = {}) {
  const end = Date.now() + within;
  for (;;) {
    const result = await check();
    if (result) return result;
    if (Date.now() > end) throw new Error("it did not come true in time");
    await new Promise((done) => setTimeout(done, every));
  }
}

/** Forgets everything that is derived, in a shop that is stopped: the next start folds and learns from the whole log again. */
export function forget(dir) {
  const text = `import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
for table in ("profile", "product_stat"): db.execute("delete from " + table)
db.execute("delete from cursor where name in ('fold', 'learn')")
db.execute("delete from state where name = 'crowd'")
db.commit()`;
  const ran = spawnSync("python3", ["-c", text, join(dir, "data/attune.db")], { encoding: "utf8" });
  if (ran.status !== 0) throw new Error(ran.stderr);
}

/** The rows of a table of a shop that is stopped. */
export function rows(dir, sql) {
  const text = "import json, sqlite3, sys\ndb = sqlite3.connect(sys.argv[1])\ndb.row_factory = sqlite3.Row\nprint(json.dumps([dict(row) for row in db.execute(sys.argv[2])]))";
  const ran = spawnSync("python3", ["-c", text, join(dir, "data/attune.db"), sql], { encoding: "utf8" });
  if (ran.status !== 0) throw new Error(ran.stderr);
  return JSON.parse(ran.stdout);
}

export const basic = (key) => ({ authorization: `Basic ${Buffer.from(`${key}:`).toString("base64")}` });
export const bearer = (key) => ({ authorization: `Bearer ${key}` });

/** Runs the program to its end. */
export function run(args, { env = {}, input, cwd } = {}) {
  const result = spawnSync(program, args, { env: { ...process.env, ...env }, input, cwd, encoding: "utf8", timeout: 60000 });
  return { code: result.status, out: result.stdout, err: result.stderr };
}

/** Raw bytes in, everything that comes back until the peer closes or it is quiet. */
export function raw(port, bytes, { quiet = 300 } = {}) {
  return new Promise((done) => {
    const socket = net.connect(port, "127.0.0.1");
    let text = "", timer, closed = false;
    const finish = () => {
      clearTimeout(timer);
      socket.destroy();
      done({ text, closed });
    };
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(finish, quiet);
    };
    socket.on("data", (data) => {
      text += data;
      wait();
    });
    socket.on("close", () => {
      closed = true;
      finish();
    });
    socket.on("error", () => {});
    socket.write(bytes);
    wait();
  });
}

/** Every operation of the OpenAPI document. */
export const operations = (document) => Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })));
export const follow = (document, schema) => (schema.$ref ? document.components.schemas[schema.$ref.split("/").pop()] : schema);

/** JSON Schema as far as the document uses it. open: fields the schema does not name are fine. */
export function checkSchema(document, schema, value, where, open = new Set()) {
  const name = schema.$ref?.split("/").pop();
  schema = follow(document, schema);
  if (schema.enum) return assert.ok(schema.enum.includes(value), `${where} is one of ${schema.enum}: ${value}`);
  const is = {
    null: value === null, array: Array.isArray(value), integer: Number.isInteger(value), number: typeof value === "number",
    string: typeof value === "string", boolean: typeof value === "boolean",
    object: value !== null && typeof value === "object" && !Array.isArray(value),
  };
  const types = [schema.type ?? []].flat();
  if (types.length) assert.ok(types.some((one) => is[one]), `${where} is ${types}: ${JSON.stringify(value)?.slice(0, 120)}`);
  if (schema.format === "date-time" && value !== null)
    assert.ok(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value) && !Number.isNaN(Date.parse(value)), `${where} is a time: ${value}`);
  if (is.array) return schema.items && value.forEach((one, i) => checkSchema(document, schema.items, one, `${where}[${i}]`, open));
  if (!is.object) return;
  for (const one of schema.required ?? []) assert.ok(one in value, `${where} has ${one}: ${JSON.stringify(value).slice(0, 200)}`);
  for (const [field, part] of Object.entries(value)) {
    const known = schema.properties?.[field] ?? schema.additionalProperties;
    if (known) checkSchema(document, known, part, `${where}.${field}`, open);
    else assert.ok(!schema.properties || open.has(name), `${where}.${field} is not documented${name ? ` in ${name}` : ""}`);
  }
}

export { http };
