"""Simple English stories made for teaching: the text that the bundled model learns from, and probes of what it learnt."""

from storyteller.telling import END, KINDS, Kind, Probe, probes, stories, story

__all__ = ["END", "KINDS", "Kind", "Probe", "probes", "stories", "story"]
