"""Hemline: joint probabilistic forecasting of many related series, for people who sell things."""

__version__ = "0.1.0"
