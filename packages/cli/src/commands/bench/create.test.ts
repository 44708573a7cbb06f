import { assert, it } from "@effect/vitest"
import { middle, quantile } from "./create.ts"

it("the median is the middle, or between the two, and 95 of 100 are within p95", () => {
  assert.deepStrictEqual([[3], [1, 2, 9], [4, 1, 3, 2]].map(middle), [3, 2, 2.5])
  const hundred = Array.from({ length: 100 }, (_, at) => 100 - at)
  assert.deepStrictEqual([quantile(hundred, 0.95), quantile([5, 7], 0.95), quantile([1], 0.95)], [95, 7, 1])
})
