"""Backtest folders, and which of their runs count."""
