// SPDX-License-Identifier: Apache-2.0
//
// A rule that never ends is stopped: the answer comes from the fallback within the budget and 5 ms (p99 against an idle call of
// the same run), others never notice. Where an idle call's own p99 is over 12 ms (5 to 7 are usual: it builds the state the loop
// before it spent) the machine is somebody else's: then three times that.
// Both back ends of the limiter. CALLS=1000.
import assert from "node:assert/strict";
import { test } from "node:test";
import { products, serve, SHOP } from "./harness.mjs";

const files = { "shop.lua": SHOP, "scripts/a.lua": `
ranking "loops" { score = function(product) if product.price > 0 then while true do end end return 1 end }
ranking "idle" { score = function(product) return product.price end }
` };
const quantile = (values, q) => values.sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))];

async function measure(t, args, calls) {
  const shop = await serve(t, files, { args });
  await shop.call("PUT", "/v1/catalog/items", products(20));
  const time = async (ranking) => {
    const begin = performance.now();
    const answer = await shop.post("/v1/rank", { ranking, where: {} });
    assert.equal(answer.status, 200);
    if (ranking === "loops") assert.match(answer.body.fallback, /a\.lua:2.*20 ms/, answer.text);
    return performance.now() - begin;
  };
  for (let i = 0; i < 20; i++) await time("idle");
  const idle = [], loops = [];
  for (let i = 0; i < calls; i++) {
    loops.push(await time("loops"));
    idle.push(await time("idle"));
  }
  const usual = quantile(idle, 0.99), over = quantile(loops, 0.99) - usual - 20, most = usual > 12 ? 3 * usual : 5;
  console.log(`property: ${calls} calls, p99 ${quantile(loops, 0.99).toFixed(2)} ms against ${usual.toFixed(2)} ms idle: ${over.toFixed(2)} ms over the budget, ${most.toFixed(2)} allowed`);
  return { over, most };
}

/** A run that others on the machine disturbed is made again, twice at most. */
async function within(t, args, calls) {
  let last;
  for (let i = 0; i < 3; i++) {
    last = await measure(t, args, calls);
    if (last.over < last.most) return;
  }
  assert.fail(`${last.over} ms over`);
}

test("deadline and signal", (t) => within(t, [], Number(process.env.CALLS ?? 1000)));
test("count hook", (t) => within(t, ["--watchdog-signal", "0"], Number(process.env.CALLS ?? 300)));
