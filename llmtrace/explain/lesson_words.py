"""What the steps of lessons mean, in words, by the first and last part of their names."""

from __future__ import annotations

from llmtrace.i18n import N_

LESSONS = {
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
    "loss.loss": N_("how surprised the model is by a token of the batch, on average: what training makes smaller"),
    "losses.losses": N_(
        "how surprised the model is by the token that really follows {token}, which is {target}: its loss"
    ),
}
