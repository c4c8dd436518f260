"""Price response: the effects of prices and promotions on sales."""
