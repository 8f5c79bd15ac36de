"""What ops say of themselves: formulas, and the names of axes."""

from mutants import plant, plant_formula

plant_formula("0.44715 for 0.044715", "gelu_tanh", "(0.5·x) · (1 + tanh(√(2/π) · (x + 0.44715·x³)))")
plant_formula(
    "0.134154 for 0.134145",
    "gelu_tanh_gradient",
    "dout · ((0.5·(1 + t)) + ((0.5·x) · ((1 − t·t) · slope))), t = tanh(√(2/π) · (x + 0.044715·x³)),"
    " slope = √(2/π) · (1 + 0.134154·x²)",
)
plant_formula("√π for √2", "gelu_erf", "(0.5·x) · (1 + erf(x / √π))")
plant_formula("ε outside the root", "layer_norm", "((x − mean) / (√variance + ε)) · gain + bias")
plant_formula("the gain forgotten", "layer_norm", "((x − mean) / √(variance + ε)) + bias")
plant_formula("the square forgotten", "adam_square", "β·before + (1 − β)·gradient")
plant_formula("1 + β for 1 − β", "adam_mean", "β·before + (1 + β)·gradient")
plant_formula("the root forgotten", "attention_scores", "(Σ q · k) / D")
plant_formula("the root forgotten", "full_scores", "(Σ q · k) / D")
plant_formula("the maximum not taken off below", "softmax", "exp(x − maximum) / Σ exp(x)")
plant_formula("the score of the target added", "cross_entropy", "(maximum + x[target]) + log Σ exp(x − maximum)")
plant_formula("1 taken off everywhere", "cross_entropy_gradient", "(softmax(x) − 1) · dout")
plant_formula("squares forgotten", "squared_norm", "Σ x")
plant_formula("the bias forgotten", "linear", "Σ x · weight")
plant_formula("the bias twice", "linear_to_heads", "Σ x · weight + bias + bias")
plant_formula("the limit for 1", "clip_factor", "limit / norm if norm > limit else limit")
plant_formula("< for >", "relu", "x if x < 0 else 0")
plant_formula("s without its sign", "silu_gradient", "dout · (s · (1 + x·(1 − s))), s = 1 / (1 + exp(x))")
plant_formula("kept and dropped swapped", "dropout", "x · (1/(1 − rate)) if u < rate else 0")
plant_formula("a sign that is not known", "scale", "x × factor")
plant_formula("a letter that nothing says", "divide_by", "x / d")
plant_formula("a parenthesis left open", "sigmoid", "1 / (1 + exp(−x)")


@plant("features before positions", "attention_back", "axes")
def _(pattern, x):
    return (*pattern[:-2], "feature", "position")


@plant("features before positions", "attention_mix", "axes")
def _(pattern, v):
    return (*pattern[:-2], "feature", "position")


@plant("keys before queries", "attention_scores", "axes")
def _(q, k):
    return (*q[:-2], "key", "query")


@plant("keys before queries", "attention_products", "axes")
def _(a, b):
    return (*a[:-2], "key", "query")


@plant("keys before queries", "full_scores", "axes")
def _(q, k):
    return (*q[:-2], k[-2], q[-2])


@plant("the heads last", "linear_to_heads", "axes")
def _(x, weight, bias=None):
    return (*x[:-1], "feature", "head")


@plant("the axis before called as the heads", "split_heads", "axes")
def _(x):
    return (*x[:-2], x[-2], "head", "feature")


@plant("positions that stand twice", "merge_heads", "axes")
def _(x):
    return (*x[:-3], x[-2], x[-2])


@plant("the axis that was summed kept", "squared_norm", "axes")
def _(x):
    return x


@plant("the first axis dropped instead of the last", "argmax", "axes")
def _(x):
    return x[1:]


@plant("names that do not depend on the inputs'", "softmax", "axes")
def _(x):
    return ("batch", "position", "feature")[-len(x) :]


@plant("the axes the other way round", "layer_norm", "axes")
def _(x, gain, bias):
    return x[::-1]


@plant("the axes of the row that says which", "select", "axes")
def _(index, x):
    return x[:-1]
