"""Sample paths: mixtures, totals, dependence and tables of them."""
