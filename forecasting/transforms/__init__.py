"""Bijections with tractable Jacobians: the maths under the flow heads."""
