"""One backtest run: what identifies it, its windows and its rows."""
