"""What a number means, in one sentence that speaks of tokens, heads and features."""

from __future__ import annotations

from typing import Any

from llmtrace.trace import Trace
from llmtrace.words import N_, _

# By the last parts of a step's name. {token} is the token at the number's position, {query} and {key} likewise.
SENTENCES = {
    "embed.token": N_("feature {feature} of what the model has learned about the token {token}"),
    "embed.position": N_("feature {feature} of what the model has learned about place {position} of a text"),
    "embed": N_("feature {feature} of {token} at place {position}, as it enters the first block"),
    "ln_1": N_("feature {feature} of {token}, brought to a standard spread (layer norm) before attention"),
    "ln_2": N_("feature {feature} of {token}, brought to a standard spread (layer norm) before the MLP"),
    "ln_f": N_("feature {feature} of {token}, brought to a standard spread (layer norm) before the scores"),
    "attn.q": N_("feature {feature} of the question (query) that {token} asks in head {head}"),
    "attn.k": N_("feature {feature} of the label (key) by which head {head} finds {token}"),
    "attn.v": N_("feature {feature} of what {token} hands over (value) in head {head}"),
    "attn.keys": N_("feature {feature} of the label (key) by which head {head} finds {key}"),
    "attn.values": N_("feature {feature} of what {key} hands over (value) in head {head}"),
    "attn.scores": N_("how well the question of {query} fits the label of {key}, head {head}"),
    "attn.pattern": N_("how much {query} looks at {key}, head {head}: a share of 1"),
    "attn.mix": N_("feature {feature} of what {token} gathers from the tokens it looks at, head {head}"),
    "attn.out": N_("feature {feature} of what attention adds to {token}"),
    "residual_mid": N_("feature {feature} of {token} after attention has added its part"),
    "mlp.up": N_("what neuron {feature} of the MLP adds up for {token}, before its activation function"),
    "mlp.act": N_("how strongly neuron {feature} of the MLP reacts to {token} (its activation)"),
    "mlp.down": N_("feature {feature} of what the MLP adds to {token}"),
    "residual_out": N_("feature {feature} of {token} after this block"),
    "logits": N_("the score of {vocabulary} as the token after {token}"),
    "probabilities": N_("the probability of {vocabulary} as the token after {token}"),
    "next_token": N_("the token that most likely follows {token}: {value}"),
    "tokens": N_("the number of the token {token} in the vocabulary"),
    "positions": N_("the place of {token} in the text, counted from 0"),
    "choice.position": N_("the place in this run of the token before new token {n}"),
    "choice.logits": N_("the score of {vocabulary} as new token {n}"),
    "choice.scaled": N_("the score of {vocabulary} as new token {n}, divided by the temperature"),
    "choice.top_k": N_("the score of {vocabulary} as new token {n}, if it is one of the k largest"),
    "choice.top_p": N_("the score of {vocabulary} as new token {n}, if it is one of the largest that together reach p"),
    "choice.probabilities": N_("the probability of {vocabulary} as new token {n}"),
    "choice.number": N_("the random number that was drawn for new token {n}"),
    "choice.token": N_("new token {n}: {value}"),
}


def sentence(trace: Trace, name: str, place: tuple[int, ...]) -> str:
    """One sentence about one number of a trace."""
    if name in trace.weights:
        return _("a weight: a number that the model learned in training")
    axes = trace.axes(name)
    batch = place[0] if axes[:1] == ("batch",) else None
    words: dict[str, Any] = {}
    for axis, index in zip(axes, place, strict=True):
        label = trace.label(axis, index, batch)
        words[axis] = trace.past + index if axis == "position" else index if label is None else repr(label)
        if axis in {"position", "query"}:
            words["token"] = repr(label) if label is not None else _("token {place}").format(place=index)
    parts = name.split(".")
    template = SENTENCES.get(".".join(parts[-2:])) or SENTENCES.get(parts[-1])
    if parts[0] == "choice" and len(parts) == 3:
        template, words["n"] = SENTENCES.get(f"choice.{parts[2]}"), parts[1]
    if name == "next_token" or template == SENTENCES["choice.token"]:
        words["value"] = repr(trace.token_text(int(trace.elements(name, place))))
    if parts[-1] == "past":
        return _("computed when an earlier token was read, and kept in the cache")
    try:
        return _(template).format(**words) if template else name
    except KeyError:  # a step of this name with other axes
        return name
