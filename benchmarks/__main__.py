"""All benchmarks, one after the other: `make bench`."""

import subprocess
import sys

MODULES = (
    *("maf_inverse", "training", "published", "predict", "scores", "deepar", "simulate", "assortment", "response"),
    "memory",
)


if __name__ == "__main__":
    for module in MODULES:
        print(f"\n== benchmarks.{module}", flush=True)
        subprocess.run([sys.executable, "-m", f"benchmarks.{module}", *sys.argv[1:]], check=True)
