"""How good recommenders are, by what was bought later."""
