"""How many parameters a model has, from the shapes of its weights."""

from __future__ import annotations

from llmtrace.frozen import frozen


@frozen
class Shape:
    """The sizes of a model in the manner of GPT."""

    name: str
    vocabulary: int
    context: int
    width: int
    blocks: int
    heads: int

    @property
    def embedding(self) -> int:
        """The tables of tokens and places."""
        return (self.vocabulary + self.context) * self.width

    @property
    def attention(self) -> int:
        """Of one block: four matrices with their biases."""
        return 4 * self.width * self.width + 4 * self.width

    @property
    def matrices_of_mlp(self) -> int:
        """The two matrices of the MLP of one block."""
        return 2 * self.width * self.hidden

    @property
    def mlp(self) -> int:
        """Of one block: two matrices with their biases."""
        return self.matrices_of_mlp + self.hidden + self.width

    @property
    def norms(self) -> int:
        """Of one block: a gain and a bias in each of two layer norms."""
        return 4 * self.width

    @property
    def hidden(self) -> int:
        """The neurons of the MLP."""
        return 4 * self.width

    @property
    def block(self) -> int:
        """One block."""
        return self.attention + self.mlp + self.norms

    @property
    def total(self) -> int:
        """All; the scores use the table of tokens once more, and the final layer norm has a gain and a bias."""
        return self.embedding + self.blocks * self.block + 2 * self.width


GPT_2 = (
    Shape("GPT-2 small", 50257, 1024, 768, 12, 12),
    Shape("GPT-2 medium", 50257, 1024, 1024, 24, 16),
    Shape("GPT-2 large", 50257, 1024, 1280, 36, 20),
    Shape("GPT-2 XL", 50257, 1024, 1600, 48, 25),
)
GPT_3 = Shape("GPT-3", 50257, 2048, 12288, 96, 96)


@frozen
class Llama:
    """The sizes of a Llama 2, whose keys and values have fewer heads, and whose MLP has three matrices."""

    name: str
    vocabulary: int
    width: int
    blocks: int
    heads: int
    key_heads: int
    hidden: int

    @property
    def attention(self) -> int:
        """Of one block: two matrices of the whole width, two that are narrower."""
        narrow = self.width // self.heads * self.key_heads
        return 2 * self.width * self.width + 2 * self.width * narrow

    @property
    def mlp(self) -> int:
        """Of one block."""
        return 3 * self.width * self.hidden

    @property
    def total(self) -> int:
        """All; the scores have a table of their own, and each norm has a gain only."""
        tables = 2 * self.vocabulary * self.width
        return tables + self.blocks * (self.attention + self.mlp + 2 * self.width) + self.width


LLAMA_2_70B = Llama("Llama 2 70B", 32000, 8192, 80, 64, 8, 28672)
