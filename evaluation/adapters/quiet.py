"""What other libraries say that is not for the users of this one."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from gluonts.env import env

from ...runtime.quiet import lasting_filters


@contextmanager
def quiet_gluonts() -> Iterator[None]:
    """Leave out a warning that gluonts 0.17 causes at every lag it reads, thousands of times a forecast."""
    with lasting_filters():
        # By category: matching the message each time took a seventh of a forecast.
        warnings.simplefilter("ignore", UserWarning)
        yield


@contextmanager
def quiet_backtest() -> Iterator[None]:
    """Without gluonts' progress bars, and without pandas' notice on the business days that gluonts counts in."""
    with env._let(use_tqdm=False), lasting_filters():
        warnings.filterwarnings("ignore", message=r"Period with BDay freq is deprecated", category=FutureWarning)
        warnings.filterwarnings("ignore", message=r"PeriodDtype\[B\] is deprecated", category=FutureWarning)
        yield
