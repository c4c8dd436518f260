"""Where numbers and pictures come from: benchmarks, frames, simulators."""
