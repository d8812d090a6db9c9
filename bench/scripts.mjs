// SPDX-License-Identifier: Apache-2.0
//
// Fills a shop's scripts/ with further rankings until it holds 100 KB.  node bench/scripts.mjs DIR
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const dir = join(process.argv[2], "scripts"), features = ["affinity", "popularity", "trending", "conversion", "margin", "discount", "rating"];
const held = () => readdirSync(dir, { recursive: true }).filter((name) => name.endsWith(".lua")).reduce((sum, name) => sum + statSync(join(dir, name)).size, 0);
for (let n = 1; held() < 100 * 1024; n++) {
  const parts = Array.from({ length: 8 }, (_, part) => `-- What list ${n} makes of a product, part ${part + 1}.
local function part_${part + 1}(product)
${Array.from({ length: 6 }, (_, k) => `  local term_${k + 1} = ${((n * 7 + part * 3 + k) % 90 + 10) / 1000} * product.${features[(n + part + k) % features.length]}:or_else(${k / 10})`).join("\n")}
  return term_1 + term_2 + term_3 - term_4 + term_5 + term_6
end
`);
  writeFileSync(join(dir, "rankings", `list-${n}.lua`), `${parts.join("\n")}
ranking "list-${n}" {
  score = function(product)
    return ${parts.map((_, part) => `part_${part + 1}(product)`).join("\n         + ")}
  end,
}
`);
}
console.log(`${held()} bytes in ${readdirSync(dir, { recursive: true }).filter((name) => name.endsWith(".lua")).length} files`);
