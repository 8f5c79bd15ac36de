"""Simple Chinese sentences made for teaching: what the bundled Chinese model learns from, and probes of what it learnt."""

from jielong.sentences import END, KINDS, Probe, joined, probes, sentence, sentences

__all__ = ["END", "KINDS", "Probe", "joined", "probes", "sentence", "sentences"]
