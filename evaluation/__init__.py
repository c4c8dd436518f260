"""Windows, scores, backtests, tables and reports for any gluonts estimator or predictor."""
