// SPDX-License-Identifier: Apache-2.0
//
// How well the interval of profile/rhythm.h foretells the next gap between purchases, by the weight k of the shop's, over public
// histories: the table of docs/decisions/rhythm.md.
//     SHARED_DATA=../shared/data node bench/rhythm.mjs
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

const data = process.env.SHARED_DATA ?? "../shared/data";
const lines = (...path) => gunzipSync(readFileSync(join(data, ...path))).toString().split("\n");
const dayOf = (text) => Math.floor(Date.parse(`${text.replace(/^(\d{4})(\d\d)(\d\d)$/, "$1-$2-$3").slice(0, 10)}T00:00:00Z`) / 86400e3);

/** Person → days with a purchase. */
function histories(rows) {
  const people = new Map();
  for (const [id, date] of rows) people.set(id, (people.get(id) ?? new Set()).add(dayOf(date)));
  return [...people.values()].map((days) => [...days].sort((a, b) => a - b)).filter((days) => days.length > 1);
}
const uci = () => readdirSync(join(data, "uci-online-retail")).filter((name) => name.endsWith(".gz")).flatMap((name) => lines("uci-online-retail", name))
  .map((line) => [line, /,(\d{4}-\d\d-\d\d) [\d:]+,[^,]*,(\d+)\.0,/.exec(line)])
  .filter(([line, found]) => found && !line.startsWith("C")).map(([, found]) => [found[2], found[1]]);
const shops = {
  "CDNOW": () => lines("cdnow", "CDNOW_master.txt.gz").map((line) => line.trim().split(/\s+/)).filter((row) => /^\d{8}$/.test(row[1])),
  "UCI Online Retail": uci,
  "Complete Journey": () => lines("complete-journey", "transactions_sample.csv.gz").slice(1).filter(Boolean).map((line) => line.split(",")).map((row) => [row[0], row[10]]),
};
for (const [name, read] of Object.entries(shops)) {
  const people = histories(read());
  const means = people.map((days) => Math.max(1, Math.round((days.at(-1) - days[0]) / (days.length - 1)))).sort((a, b) => a - b);
  const m = means[Math.floor((means.length - 1) / 2)];
  const sum = people.reduce((all, days) => all + days.at(-1) - days[0], 0), gaps = people.reduce((all, days) => all + days.length - 1, 0);
  console.log(`${name}: ${people.length} people, median ${m} days; mean over gaps ${(sum / gaps).toFixed(1)}, over people ${(means.reduce((a, b) => a + b) / means.length).toFixed(1)}`);
  for (const k of [0, 0.5, 1, 2, 4, 1e12]) {
    let missed = 0, count = 0;
    for (const days of people)
      for (let i = 2; i < days.length; i++, count++) missed += Math.abs(days[i] - days[i - 1] - (k * m + days[i - 1] - days[0]) / (k + i - 1));
    console.log(`  k ${k === 1e12 ? "∞" : k}: ${count} gaps missed by ${(missed / count).toFixed(2)} days`);
  }
}
