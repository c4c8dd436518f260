"""Which photos look alike: features of a network at several depths, and projections that are learnt."""
