from helpers.small_models import small_gpt

from llmtrace import i18n
from llmtrace.render import renderable
from llmtrace.tokenizers.chat import Chat
from llmtrace.views.chat import ROLES, view


def test_turn_by_turn():
    chat = Chat([0, 1, 2, 2, 0], ["system", "user", "user", "assistant", "user"], 2)
    document = view(chat, small_gpt().token_text)
    assert [block.inlines[0].text for block in document.blocks] == ["system: ", "user: ", "assistant: ", "user: "]
    assert [block.inlines[1].tokens for block in document.blocks] == [("A",), ("B", "C"), ("C",), ("A",)]
    assert document.facts["chat"][1] == {"role": "user", "id": 1, "text": "B"}
    assert renderable(document) is not None


def test_all_roles_have_a_name_in_chinese():
    i18n.use("zh")
    assert {i18n._(role) for role in ROLES.values()}.isdisjoint(ROLES)
