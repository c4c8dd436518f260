"""A query among 100,000 vectors: seconds of torch and of faiss, which give the same answers.

python benchmarks/vision_search.py
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch
from hemline.vision.search.nearest import ExactNearest, FaissNearest, Found, Nearest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vectors", type=int, default=100_000)
    parser.add_argument("--width", type=int, default=428, help="128 axes of shape and 300 colours")
    parser.add_argument("--queries", type=int, default=50)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(options.vectors, options.width)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    article = np.arange(options.vectors) // 2
    queries = vectors[:: options.vectors // options.queries][: options.queries] + 0.01
    allowed = rng.random(options.vectors) < 0.3
    print(
        f"{options.vectors:,} vectors of {options.width} numbers, {options.threads} thread, torch {torch.__version__}"
    )
    engines: dict[str, Nearest] = {"torch": ExactNearest(vectors, article), "faiss": FaissNearest(vectors, article)}
    for chosen, name in ((None, "all photos"), (allowed, "3 of 10 allowed by a filter")):
        answers: dict[str, list[Found]] = {}
        for engine, nearest in engines.items():
            seconds = []
            answers[engine] = []
            for query in queries:
                began = time.perf_counter(), time.process_time()
                answers[engine].append(nearest.search(query[None], 10, chosen))
                seconds.append((time.perf_counter() - began[0], time.process_time() - began[1]))
            wall, busy = (1000 * np.median([each[kind] for each in seconds]) for kind in (0, 1))
            print(f"{name}, {engine}: {wall:.1f} ms a query by the clock, {busy:.1f} ms of processor time (medians)")
        same = sum(
            one.articles.tolist() == other.articles.tolist()
            for one, other in zip(answers["torch"], answers["faiss"], strict=True)
        )
        print(f"{name}: the same ten articles for {same} of {len(queries)} queries")


if __name__ == "__main__":
    main()
