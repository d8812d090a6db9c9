-- SPDX-License-Identifier: Apache-2.0
--
-- What this customer orders next, over the whole catalog. The weights were chosen on a cut at 2011-08-01.

local bought_weight     = 1.0
local popularity_weight = 1.0
local affinity_weight   = 0.15
local trending_weight   = 0.0

ranking "for_you" {
  score = function(product)
    return bought_weight * log(1 + product.bought) + popularity_weight * product.popularity
         + affinity_weight * product.affinity + trending_weight * product.trending
  end,
}
ranking "for_you_without_bought" {
  score = function(product)
    return popularity_weight * product.popularity + affinity_weight * product.affinity + trending_weight * product.trending
  end,
}
ranking "for_you_without_popularity" {
  score = function(product)
    return bought_weight * log(1 + product.bought) + affinity_weight * product.affinity + trending_weight * product.trending
  end,
}
ranking "for_you_without_affinity" {
  score = function(product)
    return bought_weight * log(1 + product.bought) + popularity_weight * product.popularity + trending_weight * product.trending
  end,
}
ranking "for_you_without_trending" {
  score = function(product)
    return bought_weight * log(1 + product.bought) + popularity_weight * product.popularity + affinity_weight * product.affinity
  end,
}
