"""Error review: what a network said of many cases beside what is true of them, and what people wrote to it."""
