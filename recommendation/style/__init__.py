"""Style over time: a customer's taste at any time, read off what was bought until then."""
