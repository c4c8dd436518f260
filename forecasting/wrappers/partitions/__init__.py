"""A large assortment as partitions, each with a joint model of its own, tied by a model of their totals."""
