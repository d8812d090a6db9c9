// SPDX-License-Identifier: Apache-2.0
//
// attune audit: real order lines against counts made by another tool, files that cannot be audited, a shop served and not served,
// the shape of its JSON and its page.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { test } from "node:test";
import { folder, run, sharedData } from "./harness.mjs";

const found = (audit, code) => audit.findings.find((one) => one.code === code);
const audit = (args, options) => {
  const ran = run(["audit", ...args, "--json"], options);
  assert.equal(ran.code, 0, ran.err);
  return JSON.parse(ran.out);
};

/* Counts of the files' rows by Python's csv, which shares no code with what it is compared with. */
const counting = `
import collections, csv, glob, gzip, json, sys
counts, rows, lines, orders, customers, revenue = collections.Counter(), collections.Counter(), 0, set(), set(), 0.0
for path in sorted(glob.glob(sys.argv[1] + "/*.csv.gz")):
    with gzip.open(path, "rt", newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        next(reader)
        for row in reader:
            lines += 1
            is_cancelled = row[0].startswith("C")
            quantity, price = float(row[3]), float(row[5])
            counts["lines_cancelled"] += is_cancelled
            counts["lines_without_customer"] += row[6] == ""
            counts["lines_price_not_positive"] += price <= 0
            counts["lines_quantity_not_positive"] += quantity <= 0 and not is_cancelled
            counts["lines_without_title"] += row[2] == ""
            rows[tuple(row)] += 1
            if not is_cancelled: orders.add(row[0])
            if row[6]: customers.add(row[6])
            if not is_cancelled and price * quantity > 0: revenue += price * quantity
counts["lines_repeated"] = sum(count - 1 for count in rows.values())
print(json.dumps({"findings": counts, "lines": lines, "orders": len(orders), "people": len(customers), "revenue": revenue}))
`;

test("order lines of a real shop, counted by another tool as well", (t) => {
  const data = join(sharedData, "uci-online-retail");
  if (!existsSync(data)) return t.skip("no data");
  const ran = spawnSync("python3", ["-c", counting, data], { encoding: "utf8", maxBuffer: 1 << 24 });
  assert.equal(ran.status, 0, ran.stderr);
  const other = JSON.parse(ran.stdout), json = audit([data]);
  for (const [code, count] of Object.entries(other.findings)) {
    assert.ok(count > 0, code);
    assert.deepEqual([code, found(json, code)?.count, found(json, code)?.of, found(json, code)?.error], [code, count, other.lines, 0]);
  }
  assert.equal(json.kind, "history");
  assert.deepEqual([json.files, json.counts.order_lines, json.counts.orders, json.counts.people], [12, other.lines, other.orders, other.people]);
  assert.ok(Math.abs(json.revenue - other.revenue) < 0.01);
  assert.match(json.columns, /InvoiceNo is the order/);
  const table = run(["audit", data]);
  assert.equal(table.code, 0);
  assert.match(table.out.split("\n")[0], /is a history that was not imported yet: 12 files, columns by UCI Online Retail/);
  for (const words of [/8,197 +1\.8 %.*lines of cancelled orders/, /111,827 +24\.8 %.*order lines without a customer/, /3,942 .*more than once/, /2,259 .*price of zero or below/])
    assert.match(table.out, words);
  const next = table.out.slice(table.out.indexOf("What to do next")).match(/^ {2}\d\. /gm);
  assert.ok(next.length >= 3 && next.length <= 5);
});

const HEAD = "order_id,sku,quantity,price,customer_id,currency,time,title\n";

test("what cannot be audited is said, with what to do", (t) => {
  const dir = folder(t, { "empty/notes.txt": "x", "csv/a.csv": "a,b\n1,2\n", "bin/x.csv": "\x00\x01\x02", "none/e.jsonl": "hello\n", "void/v.csv": "" });
  const refused = (args, code, words) => {
    const ran = run(["audit", ...args]);
    assert.equal(ran.code, code, ran.out + ran.err);
    assert.match(ran.err, words);
    assert.equal(ran.out, "");
  };
  refused([join(dir, "nowhere")], 3, /cannot read .*nowhere/);
  refused([join(dir, "empty")], 1, /is no shop \(it has no shop\.lua\) and holds no history: order lines as \*\.csv or events as \*\.jsonl/);
  refused([join(dir, "empty/notes.txt")], 1, /neither order lines .* nor events/);
  refused([join(dir, "csv")], 1, /a\.csv: no column is the order, the product, the quantity, the price \(the columns are a, b\): say which with --map order=COLUMN/);
  refused([join(dir, "csv"), "--map", "order=a,product=zz"], 1, /there is no column "zz"; the columns are a, b/);
  refused([join(dir, "csv"), "--map", "ordre=a"], 2, /"ordre=a" is not; its fields are order product/);
  refused([join(dir, "bin")], 1, /x\.csv: its first line is no header of a CSV file/);
  refused([join(dir, "none")], 1, /e\.jsonl: not one line of it is a JSON object/);
  refused([join(dir, "void")], 1, /v\.csv is empty/);
  const packed = gzipSync(HEAD + Array.from({ length: 5000 }, (_, i) => `${i},p${i % 7},1,${i}.5,c${i},EUR,2026-01-01,${Math.sin(i)}\n`).join(""));
  mkdirSync(join(dir, "cut"));
  writeFileSync(join(dir, "cut/orders.csv.gz"), packed.subarray(0, packed.length >> 1));
  refused([join(dir, "cut")], 1, /orders\.csv\.gz is cut short: its compressed text ends in the middle; copy it again/);
  const broken = Buffer.from(packed);
  broken[packed.length >> 1] ^= 0xff;
  writeFileSync(join(dir, "cut/orders.csv.gz"), broken);
  refused([join(dir, "cut")], 1, /cannot read .*orders\.csv\.gz/);
  writeFileSync(join(dir, "cut/orders.csv.gz"), packed);
  assert.equal(audit([join(dir, "cut")]).counts.order_lines, 5000);
  const nofile = run(["audit", join(dir, "cut"), "--html", join(dir, "no/where.html")]);
  assert.deepEqual([nofile.code, /cannot write .*where\.html/.test(nofile.err)], [3, true]);
  refused([], 2, /use it as/);
});

test("columns that are mapped, and both kinds of files in one folder", (t) => {
  const dir = folder(t, {
    "orders.csv": "nr;artikel;menge;preis;kunde\n1;a;2;1,50;ann@example.com\n2;b;1;3,00;\n",
    "events.jsonl": ['{"type":"page","anonymousId":"v","messageId":"1"}', '{"type":"track","event":"Order Completed","userId":"u","messageId":"2","properties":{"order_id":"7","revenue":5,"currency":"EUR","products":["a"]}}'].join("\n"),
    "README.md": "x",
  });
  const json = audit([dir, "--map", "order=nr,product=artikel,quantity=menge,price=preis,customer=kunde"]);
  assert.deepEqual([json.files, json.counts.order_lines, json.counts.events, json.counts.orders], [2, 2, 2, 3]);
  assert.ok(Math.abs(json.revenue - 11) < 1e-9);
  assert.equal(found(json, "lines_without_customer").count, 1);
  assert.equal(found(json, "visits_not_recognised").count, 1);
  assert.match(run(["audit", join(dir, "events.jsonl")]).out, /events\.jsonl is a history that was not imported yet: 1 file\n/);
  assert.match(run(["audit", dir, "--map", "order=nr,product=artikel,quantity=menge,price=preis"]).out, /; 1 other file was not read\n/);
});
