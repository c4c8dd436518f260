"""One fit of a response for all models that are trained on the same data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from ...datasets.entries.domain import Domain
from ...datasets.entries.entry import Entry
from ...runtime.digest import sha256_of
from ..windows.spec import SeriesSpec
from .response import LogLinear, Response

_FITTED: ContextVar[dict[str, Response] | None] = ContextVar("responses that are fitted here", default=None)


@contextmanager
def responses_shared() -> Iterator[None]:
    """Fit each response of a block once: models of a pool that are trained on the same data have the same one.

    Blocks within blocks share with the outer one; nothing is kept behind it.
    """
    if _FITTED.get() is not None:
        yield
        return
    before = _FITTED.set({})
    try:
        yield
    finally:
        _FITTED.reset(before)


def shared(
    fit: Callable[[], Response], entries: Sequence[Entry], spec: SeriesSpec, config: LogLinear, domain: Domain
) -> Response:
    """What a fit returns, or returned before in a block of `responses_shared`.

    Arguments:
        fit: the fit, which depends on nothing but the other arguments.
        entries: the training entries.
        spec: names of series and channels.
        config: priors.
        domain: the values that sales can take.
    """
    fitted = _FITTED.get()
    if fitted is None:
        return fit()
    read = [(entry.start, entry.target, entry.channels.values[:, : entry.length]) for entry in entries]
    told = [part for start, *arrays in read for each in arrays for part in (f"{start} {each.shape}", each)]
    key = sha256_of(repr((spec.covariate_names, spec.item_ids, config, domain)), *told)
    if key not in fitted:
        fitted[key] = fit()
    return fitted[key]
