"""Pretrained models of other packages, as rows: their quantiles of each series, drawn as paths."""
