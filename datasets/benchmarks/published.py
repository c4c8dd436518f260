"""The published benchmarks: what each is, where it lies and how its bytes are recognised."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..entries.data import Domain


@dataclass(frozen=True)
class Fingerprint:
    """SHA-256 digest and size of a file.

    Arguments:
        sha256: the hexadecimal SHA-256 digest of the content.
        size: the number of bytes of the content.
    """

    sha256: str
    size: int


@dataclass(frozen=True)
class Benchmark:
    """A benchmark of Salinas et al. (2019) and the protocol under which its scores were published.

    Arguments:
        name: the name of the archive, without ``.tar.gz``.
        about: what it is, in a few words.
        target_dim: the number of series D that the protocol forecasts.
        rows: the number of series in the archive; the protocol takes the last ``target_dim`` of them.
        freq: frequency alias.
        prediction_length: the horizon H, in steps.
        windows: the number of rolling test windows.
        lags: the lags fed to the recurrent models of Rasul et al. (2021), in steps.
        season: steps of the seasonal naive forecast.
        domain: the values a series can take.
        url: the public address of the archive.
        archive: fingerprint of the ``.tar.gz`` itself, where it is known.
        members: fingerprints of the files inside, by their path below the archive's top folder.
    """

    name: str
    about: str
    target_dim: int
    rows: int
    freq: str
    prediction_length: int
    windows: int
    lags: tuple[int, ...]
    season: int
    domain: Domain
    url: str
    archive: Fingerprint | None = None
    members: dict[str, Fingerprint] = field(default_factory=dict)


_SALINAS = "https://raw.githubusercontent.com/mbohlkeschneider/gluon-ts/mv_release/datasets/"

_GLUONTS = "https://github.com/awslabs/gluonts/raw/"

BENCHMARKS: dict[str, Benchmark] = {
    benchmark.name: benchmark
    for benchmark in (
        Benchmark(
            name="exchange_rate_nips",
            about="daily exchange rates of 8 countries",
            target_dim=8,
            rows=8,
            freq="B",
            prediction_length=30,
            windows=5,
            lags=(1, 2),
            season=5,
            domain="positive",
            url=_SALINAS + "exchange_rate_nips.tar.gz",
            archive=Fingerprint("83f3cf364ae7854b0a74ef9825c47b8314896de820de877fd466cdffd94027d1", 744269),
            members={
                "train/train.json": Fingerprint(
                    "113cf0dd5663117cce7c9ae8e2487fe1c53360a8f8a744c5176ddcec85a91d77", 457881
                ),
                "test/test.json": Fingerprint(
                    "1fd6108c57d325e503a989257b8841f2e83cea0558efdc768d8c95ac185a7abc", 2324923
                ),
            },
        ),
        Benchmark(
            name="solar_nips",
            about="hourly solar power of 137 plants in Alabama",
            target_dim=137,
            rows=137,
            freq="h",
            prediction_length=24,
            windows=7,
            lags=(1, 24, 168),
            season=24,
            domain="positive",
            url=_SALINAS + "solar_nips.tar.gz",
            members={
                "train/train.json": Fingerprint(
                    "039f3d191e8abcef96d12d4516f24547f51452f51549235942af85bd0c508a82", 5637378
                ),
                "test/test.json": Fingerprint(
                    "e11c387c56522bd22d2c83a7573286fba7810ddaecc0474b5be0568f501e3929", 39989875
                ),
            },
        ),
        Benchmark(
            name="electricity_nips",
            about="hourly electricity load of 370 clients",
            target_dim=370,
            rows=370,
            freq="h",
            prediction_length=24,
            windows=7,
            lags=(1, 24, 168),
            season=24,
            domain="positive",
            url=_SALINAS + "electricity_nips.tar.gz",
            members={
                "train/data.json": Fingerprint(
                    "5bbfd427ce8c8a94729c40038a77f860cf7624b25650c7a5b92a78261f222bd1", 40398822
                ),
                "test/data.json": Fingerprint(
                    "2cdcdd84b6ea7bb459ce0f4c9bd908afea13a2f1df5331f26f1d22283bc3de53", 195114990
                ),
            },
        ),
        Benchmark(
            name="traffic_nips",
            about="hourly road occupancy of 963 lanes in San Francisco",
            target_dim=963,
            rows=963,
            freq="h",
            prediction_length=24,
            windows=7,
            lags=(1, 24, 168),
            season=24,
            domain="unit",
            url=_SALINAS + "traffic_nips.tar.gz",
            members={
                "train/data.json": Fingerprint(
                    "4b2a7e5242b9f7e0a9e61381128a0408e9b6ac15142fe52333c25d5956be95b0", 73004629
                ),
                "test/data.json": Fingerprint(
                    "462731894f18a1435c72ad3571604231346de16128f65af2e5b471a05c9b405f", 510888663
                ),
            },
        ),
        Benchmark(
            name="taxi_30min",
            about="taxi trips at 1214 places in New York by the half hour",
            target_dim=1214,
            rows=1214,
            freq="30min",
            prediction_length=24,
            windows=56,
            lags=(1, 4, 12, 24, 48),
            season=48,
            domain="count",
            url=_SALINAS + "taxi_30min.tar.gz",
            members={
                "train/train.json": Fingerprint(
                    "9a15f2167703ffb138c7083208fe30aeb371fa6aa64651eee050f34784f21ee3", 9744035
                ),
                "test/test.json": Fingerprint(
                    "2a1dfc7a9f30f1c6eb3310807523ddf77e749ca020209ae5219c798e8944be03", 295608244
                ),
            },
        ),
        Benchmark(
            name="wiki-rolling_nips",
            about="daily views of 2000 Wikipedia pages (the last of 9535)",
            target_dim=2000,
            rows=9535,
            freq="D",
            prediction_length=30,
            windows=5,
            lags=(1, 7, 14),
            season=7,
            domain="count",
            url=_GLUONTS + "1553651ca1fca63a16e012b8927bd9ce72b8e79e/datasets/wiki-rolling_nips.tar.gz",
            members={
                "train/train.json": Fingerprint(
                    "62a9ff85ab702be259a23f57d01b44dc68110c82e4655508544e5de0e9e4895c", 60822345
                ),
                "test/test.json": Fingerprint(
                    "0ab0b86fbd236e8cf12ef2b23edf8caf6826803489fcfd24b966786248c7b5b6", 326788951
                ),
            },
        ),
        Benchmark(
            name="wiki2000_nips",
            about="daily views of 2000 Wikipedia pages",
            target_dim=2000,
            rows=2000,
            freq="D",
            prediction_length=30,
            windows=5,
            lags=(1, 7, 14),
            season=7,
            domain="count",
            url=_GLUONTS + "b89f203595183340651411a41eeb0ee60570a4d9/datasets/wiki2000_nips.tar.gz",
            # Only the archive's digest is public, as its address in the repository's large-file storage.
            archive=Fingerprint("9de1f3c969c41ed5b69b248f11a4d2e0603ce08cf81dbc1a32c198dff38fe7dc", 22592783),
        ),
    )
}
"""Name to benchmark.

Sources: D. Salinas, M. Bohlke-Schneider, L. Callot, R. Medico, J. Gasthaus, "High-dimensional multivariate
forecasting with low-rank Gaussian copula processes" (2019), arXiv:1910.03002, for the archives and the
rolling windows; K. Rasul, A.-S. Sheikh, I. Schuster, U. Bergmann, R. Vollgraf, "Multivariate probabilistic
time series forecasting via conditioned normalizing flows" (2021), arXiv:2002.06103, for lags and domains.
Taxi has 56 windows: the 57th of the archive's first release overlapped the one before and was dropped.
"""
