"""Whether bf16 ends where fp32 ends: paired runs, final UA, equivalence within one point (see precision.toml)."""

import sys
from pathlib import Path

from sergan import evaluation, results

BOUND = 1.0  # points of UA

pairs = {}
for record in results.read(Path(sys.argv[1])):
    pairs.setdefault(record["seed"], {})[record["config"]["precision"]] = record
both = [pair for pair in pairs.values() if set(pair) == {"bf16", "fp32"}]
difference = [pair["bf16"]["ua"] - pair["fp32"]["ua"] for pair in both]
mean, low, high = evaluation.interval(difference, 0.90)
for name in ("fp32", "bf16"):
    ua, seconds = ([pair[name][key] for pair in both] for key in ("ua", "time_s"))
    print(f"{name}: UA {sum(ua) / len(ua):.2f} %, {sum(seconds) / len(seconds):.1f} s a run")
print(f"bf16 - fp32, {len(both)} pairs: UA {mean:+.2f} [{low:+.2f}, {high:+.2f}] (90 %), "
      f"p of a difference of {BOUND:g} point or more: {evaluation.equivalence(difference, BOUND):.4f}")  # fmt: skip
