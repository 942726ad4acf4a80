"""A quiz on radiographs: a learner reads and marks before the network's answer is made; both are held to the truth."""
