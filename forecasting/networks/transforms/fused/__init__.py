"""The inverse of a masked affine map as one kernel of a GPU."""
