"""One neuron decides whether to go out, and then learns from other people what decides."""

ORDER = 10
