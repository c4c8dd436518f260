"""Search by words, offline: TF-IDF among texts about fashion, and "like this, but blue" among garments.

    HEMLINE_DATA=... python -m benchmarks.vision_words --index looks

Texts (`fashion_text`): one of two captions of a pair looks for the other one among all (Fashion IQ), and a German query
for its English one. Pictures (`magento_luma`): a side or back photo of a garment and the name of another of its colours
look for the photo in that colour, among the front photos of all garments in other colours; the text of each is the name
of its colour alone.
"""

from __future__ import annotations

import argparse
import gzip
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from hemline.datasets.pictures.source import Source
from hemline.runtime.folders import find
from hemline.vision.search.by_words import WordSearch
from hemline.vision.search.index import PhotoIndex
from hemline.vision.search.look_alikes import build_index, extend_index
from hemline.vision.similarity.look_encoder import ANY_COLOUR
from hemline.vision.titles.text_encoder import TextEncoder

from .vision_similarity import catalogues

K = 10


def recall(name: str, gallery: list[str], queries: list[str], right: list[int], encoder: TextEncoder | None) -> None:
    """Print the share of queries whose answer is among the first ten; of equals the earlier ones come first."""
    search, found = WordSearch(gallery, encoder), 0
    for query, wanted in zip(queries, right, strict=True):
        try:
            scores = search.scores(query)
        except ValueError:
            continue  # none of the words stands in any text
        best = np.argsort(-scores, kind="stable")[:K]
        found += wanted in {int(row) for row in best if scores[row] > 0}
    print(
        f"| {name} | {len(queries)} | {len(gallery)} | {K / len(gallery):.4f} | {found / len(queries):.3f} |",
        flush=True,
    )


def texts(folder: Path, encoder: TextEncoder | None, most: int) -> None:
    print("| texts | queries | among | chance @10 | recall @10 |\n|---|---|---|---|---|")
    pairs = [
        json.loads(gzip.decompress(file.read_bytes())) for file in sorted(folder.glob("fashioniq.cap.*.val.json.gz"))
    ]
    captions = [row["captions"] for each in pairs for row in each]
    chosen = np.random.default_rng(0).permutation(len(captions))[:most].tolist()
    asked = [captions[row][1] for row in chosen]
    recall("the other caption", [first for first, _ in captions], asked, chosen, encoder)
    table = gzip.decompress((folder / "fashion12k_german_queries.tsv.gz").read_bytes()).decode(errors="replace")
    rows = [line.split("\t") for line in table.split("\n")[1:] if line.count("\t") == 2]
    english = [row[1] for row in rows]
    chosen = np.random.default_rng(0).permutation(len(rows))[:most].tolist()
    recall("English for German", english, [rows[row][2] for row in chosen], chosen, encoder)


def pictures(address: str, folder: Path) -> None:
    views, others = catalogues(folder)
    if not (Path(address) / "index.json").exists():
        build_index(Source(views), address)
        extend_index(PhotoIndex.open(address), Source(others))
    index = PhotoIndex.open(address)
    rows = index.vectors
    colour = [Path(photo).name.partition("-")[2].partition("_")[0].replace("-", " ") for photo in rows.photos]
    coloured = np.array([item.endswith((".jpg", ".png")) for item in rows.item_ids])
    known = replace(rows, texts=tuple(colour), labels=tuple({} for _ in rows.item_ids))
    gallery = known.rows(np.flatnonzero(coloured))
    style = [labels["style"][0] for labels in rows.labels]
    among = PhotoIndex(index.folder, gallery, index.described)
    sides = [row for row in np.flatnonzero(~coloured) if "main" not in Path(rows.photos[row]).name]
    asked = [(row, other) for row in sides for other in np.flatnonzero(coloured) if style[row] == style[other]]
    print("\n| like this, but … | recall @1 | @5 |\n|---|---|---|")
    chance = [min(k / len(among), 1.0) for k in (1, 5)]
    print(f"| chance | {chance[0]:.3f} | {chance[1]:.3f} |")
    weighed = {"photo alone": (1.0, 0.0), "words alone": (0.0, 1.0)}
    weighed |= {f"photo and words {weight}": (1.0, weight) for weight in (0.25, 0.5, 1.0, 2.0)}
    for name, (seen, said) in weighed.items():
        hits = []
        for row, other in asked:
            words = said * among.words().scores(known.texts[other])
            found = among.search(seen * rows.vectors[row][None], 5, words=words, weights=ANY_COLOUR)
            hits.append([hit.item_id == rows.item_ids[other] for hit in found])
        print(f"| {name} | {np.mean([each[0] for each in hits]):.3f} | {np.mean([any(each) for each in hits]):.3f} |")
    print(f"{len(asked)} questions, {len(among)} photos")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", required=True, help="where the index of the garments is, or is to be kept")
    parser.add_argument("--queries", type=int, default=1000, help="texts that ask, drawn once")
    parser.add_argument("--text-network", help="weights of a network that reads the texts, beside TF-IDF")
    options = parser.parse_args()
    torch.set_num_threads(1)
    folder, tried = find(("images/fashion_text", "fashion_text"))
    garments, _ = find(("images/magento_luma", "magento_luma"))
    if folder is None or garments is None:
        raise SystemExit(f"expected images/fashion_text and images/magento_luma in HEMLINE_DATA, found none in {tried}")
    texts(folder, None, options.queries)
    if options.text_network:
        texts(folder, TextEncoder.open(options.text_network), options.queries)
    pictures(options.index, garments)


if __name__ == "__main__":
    main()
