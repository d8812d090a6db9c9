// SPDX-License-Identifier: Apache-2.0
//
// Gives 1,000 customers of the bench shop twenty views each.  node bench/people.mjs URL
const url = process.argv[2], auth = `Basic ${Buffer.from("wk_bench_key:").toString("base64")}`;
let state = 99;
const random = () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32);
for (let u = 0; u < 1000; u += 20) {
  const batch = [];
  for (let k = 0; k < 20; k++)
    for (let i = 0; i < 20; i++)
      batch.push({ type: "track", userId: `u-${u + k}`, anonymousId: `v-${u + k}`, event: i % 5 ? "Product Viewed" : "Product Added", properties: { product_id: `SKU-${Math.floor(random() * 40000)}` } });
  const answer = await fetch(`${url}/v1/batch`, { method: "POST", headers: { authorization: auth, "content-type": "application/json" }, body: JSON.stringify({ batch }) });
  if (!answer.ok) throw new Error(await answer.text());
}
