"""What a number means, in one sentence that speaks of tokens, heads and features."""

from __future__ import annotations

from typing import Any

from llmtrace.arithmetic.types import Axes
from llmtrace.i18n import N_, _
from llmtrace.trace import Role, Trace, role_of

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
    "embed.dropout": N_("feature {feature} of {token} as it enters the first block, or 0: some are left out at random"),
    "attn.dropout": N_("feature {feature} of what attention adds to {token}, or 0: some are left out at random"),
    "mlp.dropout": N_("feature {feature} of what the MLP adds to {token}, or 0: some are left out at random"),
    "pattern.dropout": N_("how much {query} looks at {key}, head {head}, or 0: some are left out at random"),
    "targets": N_("the number, in the vocabulary, of the token that really follows {token}"),
    "losses": N_("how surprised the model is by the token that really follows {token}, which is {target}: its loss"),
    "losses.total": N_("how surprised the model is by all the tokens of the batch together: the sum of their losses"),
    "loss": N_("how surprised the model is by a token of the batch, on average: what training makes smaller"),
    "choice.position": N_("the place in this run of the token before new token {n}"),
    "choice.logits": N_("the score of {vocabulary} as new token {n}"),
    "choice.scaled": N_("the score of {vocabulary} as new token {n}, divided by the temperature"),
    "choice.top_k": N_("the score of {vocabulary} as new token {n}, if it is one of the k largest"),
    "choice.top_p": N_("the score of {vocabulary} as new token {n}, if it is one of the largest that together reach p"),
    "choice.probabilities": N_("the probability of {vocabulary} as new token {n}"),
    "choice.number": N_("the random number that was drawn for new token {n}"),
    "choice.token": N_("new token {n}: {value}"),
}


# Of what a training step computes. {what} is the sentence of the number whose gradient it is.
OF_TRAINING = {
    "gradient": N_(
        "the gradient of {what}: how much the loss would grow if that number grew by a little, divided by that little"
    ),
    "part": N_(
        "a part of the gradient of {what}: how much the loss would grow by way of {via} alone if that number grew by a"
        " little, divided by that little"
    ),
    "sum": N_("the first {via} parts of the gradient of {what}, added up"),
    "start": N_("the gradient of {what} from the texts read before, which the sum for these texts goes on from"),
    "way": N_("a number on the way to the gradients of all that {base} is made of"),
    "squares.total": N_("the squares of all gradients from the first weights to {base}, added up"),
    "squares": N_("the squares of one row of the gradient of {base}, added up"),
    "norm": N_("the length of the gradient of all weights together: the root of the sum of all squares"),
    "clip": N_("what all gradients are multiplied by, so that together they are no longer than allowed"),
    "clipped": N_("the gradient of this weight, shortened like all others"),
    "penalised": N_("the gradient of this weight, with a pull of the weight towards 0"),
    "mean": N_("the mean of this weight's gradients, in which the last steps count most"),
    "square": N_(
        "the mean of this weight's squared gradients, in which the last steps count most: how large they usually are"
    ),
    "velocity": N_("how this weight is moving: its gradient, and what is left of the steps before"),
    "new": N_("the weight after this step"),
}
BEFORE = {
    "mean": N_("the mean of this weight's gradients, as it was before this step"),
    "square": N_("the mean of this weight's squared gradients, as it was before this step"),
    "velocity": N_("how this weight was moving before this step"),
}
THIS = N_("this weight")
OF_WEIGHT = N_("how much the loss would grow if this weight grew by a little, divided by that little (its gradient)")
OF_LOSS = N_("the loss grows by just as much as itself: from this 1, all gradients are computed backward")
WEIGHT = N_("a weight: a number that the model learned in training")
# The numbers of small nets (`llmtrace.models.Feedforward`), by the first and last part of their names.
OF_NET = {
    "input.input": N_("the number that goes in as {input}"),
    "hidden.sum": N_("what neuron {neuron} of layer {layer} adds up: every number that comes in, times a weight"),
    "hidden.act": N_("what neuron {neuron} of layer {layer} passes on: its sum after the activation function"),
    "output.sum": N_("what output {output} adds up: every number that comes in, times a weight"),
    "output.act": N_("what output {output} says: its sum after the activation function"),
    "hidden.weight": N_("a weight of neuron {neuron} of layer {layer}: what it multiplies number {place} by"),
    "hidden.bias": N_("the bias of neuron {neuron} of layer {layer}: a number that it adds, whatever comes in"),
    "output.weight": N_("a weight of output {output}: what it multiplies number {place} by"),
    "output.bias": N_("the bias of output {output}: a number that it adds, whatever comes in"),
    "one.weight": N_("what {input} counts for {output} when two layers are made one"),
    "one.sum": N_("what output {output} adds up when two layers are made one"),
    "letters.ids": N_("the number of the letter at place {place}"),
    "letters.embed": N_("number {feature} of the vector of the letter at place {place}, which is looked up in a table"),
    "letters.beside": N_("input {feature} of the net: the vectors of all letters are laid side by side"),
    "words.ids": N_("the number of the word that is read in example {example}"),
    "words.embed": N_("number {feature} of the point of the word that is read in example {example}"),
    "column.picked": N_("number {feature} of the column that the single 1 picks"),
    "guess.shares": N_("the share of 1 that {output} gets as what comes next"),
    "guess.targets": N_("the number of what really comes next in example {example}"),
    "guess.losses": N_("how surprised the net is by what really comes next in example {example}: its loss"),
    "guess.total": N_("the losses of all examples, added up"),
    "guess.loss": N_("the average of the losses of all examples: what training makes smaller"),
    "distance.difference": N_("how much two vectors differ in number {number}"),
    "distance.squares": N_("the squares of all differences, added up"),
    "distance.distance": N_("how far two points are from each other"),
    "miss.each": N_("how far output {output} is from what is wanted"),
    "miss.squared": N_("how far output {output} is from what is wanted, times itself"),
    "miss.total": N_("how far all outputs are from what is wanted, added up"),
    "miss.loss": N_("how wrong the net is: what training makes smaller"),
    "point.product": N_("a feature of point {example}: two of its coordinates, or one and itself, multiplied"),
    "new.weights": N_("the weight of {input} after one step of learning"),
    "softmax.shares": N_("the share of 1 that score {score} gets"),
    "row.picked": N_("number {feature} of the row that the single 1 picks"),
    "product.product": N_("row {row} of the first matrix times column {column} of the second, added up"),
    "turned.rows": N_("number {number} of the point {point} after it has been turned: its row times the matrix"),
    "turned.columns": N_("number {number} of the point {point}, written as a column: the matrix times that column"),
    "shadow.flat": N_("number {number} of the shadow of the point {point}"),
    "shadow.back": N_("number {to} of what the matrix on its side makes of the shadow of {point}"),
    "word.table": N_("number {feature} of row {entry} of the table: drawn at random here, not learned"),
    "word.vector": N_("number {feature} of the row of the table that the token picks"),
    "word.scores": N_("the score of entry {entry}: its row of the table times the vector, added up"),
    "pair.count": N_(
        "how often the pair {output} occurs in the text: in each word so often, times how often the word occurs"
    ),
    "character.rest": N_("what is left of byte {byte} without its mark"),
    "character.number": N_("the number of {output} among all characters, put together from its bytes"),
    "parting.logs": N_("the logarithm of the probability of the piece {piece}"),
    "parting.score": N_("the score of this parting: the logarithms of its pieces' probabilities, added up"),
    "expected.logs": N_("the logarithm of the probability of the piece {piece}, by the first guess"),
    "expected.scores": N_("the score of the parting {parting}: the logarithms of its pieces' probabilities, added up"),
    "expected.shares": N_(
        "the share of 1 that the parting {parting} gets: how probable it is among all partings of the word"
    ),
    "expected.counts": N_(
        "how often the piece {piece} is expected in the word: in each parting so often, times its share"
    ),
    "cosine.dot": N_("the dot product: both vectors multiplied number by number, and added up"),
    "cosine.squares": N_("the squares of a vector's numbers, added up"),
    "cosine.length": N_("the length of a vector"),
    "cosine.lengths": N_("both lengths, multiplied"),
    "cosine.cosine": N_("how much two vectors point the same way: from −1 to 1"),
}
# Numbers on the way to a gradient, by the last part of their names.
ON_THE_WAY = {
    "merged": N_("the same number as in {source}: only the heads now stand side by side"),
    "beside": N_("the gradient of what the heads have gathered, which still stand side by side here"),
    "normalised": N_(
        "feature {feature} of {token}, brought to mean 0 and spread 1: the number that the gain multiplies"
    ),
    "q.sum": N_("feature {feature} of the gradient of what {token} asks in head {head}, before it is divided by √D"),
    "k.sum": N_("feature {feature} of the gradient of the label of {token} in head {head}, before it is divided by √D"),
}


def sentence(trace: Trace, name: str, place: tuple[int, ...]) -> str:
    """One sentence about one number of a trace."""
    if name in trace.weights:
        return _of_net_weight(trace, name, place) or _(WEIGHT)
    role = role_of(trace, name)
    return _of_forward(trace, name, place) if role is None else _of_training(trace, name, place, role)


def _of_net_weight(trace: Trace, name: str, place: tuple[int, ...]) -> str:
    """One of a weight of a small net; it may be typed in, and not learned."""
    layer, _dot, kind = name.rpartition(".")
    template = OF_NET.get(f"{layer.partition('.')[0]}.{kind}", "")
    words = _words(trace, trace.axes(name), place)
    words["layer"], words["place"] = layer.partition(".")[2], words.get("input", place[-1])
    return _(template, **words) if template and {"neuron", "output"} & words.keys() else ""


def _of_training(trace: Trace, name: str, place: tuple[int, ...], role: Role) -> str:
    """One of a number that a training step computes."""
    record = trace.record_of(name)
    if role.kind == "gradient" and record is None and not place:
        return _(OF_LOSS)
    if role.kind == "gradient" and role.base in trace.weights:
        return _(OF_WEIGHT)
    if role.kind == "before":
        return _(BEFORE.get(role.via, "")) or name
    words = {"base": role.base, "via": role.via, **_words(trace, trace.axes(name), place)}
    words["source"] = record.inputs[0] if record is not None and record.inputs else ""
    template = OF_TRAINING[role.kind]
    if role.kind == "way":
        template = ON_THE_WAY.get(role.via, template)
    elif role.kind in {"gradient", "part", "sum", "start"}:
        words["what"] = _(THIS) if role.base in trace.weights else sentence(trace, role.base, place)
    ending = _(" (really follows: {target})") if role.base == "logits" and "target" in words else ""
    try:
        return (_(template) + ending).format(**words)
    except KeyError:  # a step of this name with other axes
        return _(OF_TRAINING["way"], **words)


def _of_forward(trace: Trace, name: str, place: tuple[int, ...]) -> str:
    words = _words(trace, trace.axes(name), place)
    parts = name.split(".")
    words["layer"] = "".join(parts[1:2]) if parts[0] == "hidden" else ""
    template = OF_NET.get(f"{parts[0]}.{parts[-1]}") or SENTENCES.get(".".join(parts[-2:])) or SENTENCES.get(parts[-1])
    if parts[0] == "choice" and len(parts) == 3:
        template, words["n"] = SENTENCES.get(f"choice.{parts[2]}"), parts[1]
    if name == "next_token" or template == SENTENCES["choice.token"]:
        words["value"] = repr(trace.token_text(int(trace.elements(name, place))))
    if parts[-1] == "past":
        return _("computed when an earlier token was read, and kept in the cache")
    try:
        return _(template, **words) if template else name
    except KeyError:  # a step of this name with other axes
        return name


def _words(trace: Trace, axes: Axes, place: tuple[int, ...]) -> dict[str, Any]:
    """What the sentences speak of: an index or a token for every axis, and `token`, the one that the number belongs to."""
    batch = place[0] if axes[:1] == ("batch",) else None
    words: dict[str, Any] = {}
    for axis, index in zip(axes, place, strict=True):
        label = trace.label(axis, index, batch)
        words[axis] = trace.past + index if axis == "position" else index if label is None else repr(label)
        if axis in {"position", "query"}:
            words["token"] = repr(label) if label is not None else _("token {place}", place=index)
    if "targets" in trace.given and trace.axes("targets") == axes[:2]:
        words["target"] = repr(trace.token_text(int(trace.elements("targets", place[:2]))))
    return words
