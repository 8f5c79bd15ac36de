"""Unicode's normal forms as the `tokenizers` library makes them: by the tables of Unicode 9.0, whatever the edition of Python's.

What a character of an edition becomes never changes in a later one (Unicode's stability policy), so Python's tables are right
for the characters that edition 9.0 takes apart, puts together or sorts. All others stay as they are, and nothing moves
across them.

    Unicode Standard Annex #15, https://www.unicode.org/reports/tr15/
"""

from __future__ import annotations

import re
from functools import cache
from typing import Literal, get_args
from unicodedata import is_normalized, normalize

Form = Literal["NFC", "NFD", "NFKC", "NFKD"]
FORMS: tuple[Form, ...] = get_args(Form)
TABLES = (9, 0)
"""The edition of Unicode of the crate unicode-normalization-alignments, which `tokenizers` uses."""

CHANGED = """
  3b-374 37a-37e 384-38a 38c 38e-3a1 3a5-4f9 587 591-5c7 5d0-5ea 5f2 610-6ed 711-74a 7eb-7f3 816-82d 859-85b 8d4-95f
  9a1-9a2 9af 9bc-9be 9c7 9cb-9cd 9d7 9dc-9dd 9df a16-a1c a2b a32-a33 a36 a38 a3c a4d a59-a5b a5e abc acd b21-b22
  b3c-b3e b47-b48 b4b-b4d b56-b57 b5c-b5d b92-b94 bbe bc6-bc7 bca-bcd bd7 c46-c48 c4d c55-c56 cbc-cc2 cc6-cc8 cca-ccd
  cd5-cd6 d3e d46-d47 d4a-d4d d57 dca dcf dd9-ddf e33-e3a e48-e4b eb3-eb9 ec8-ecb edc-edd f0c-f43 f4c-f69 f71-f93
  f9c-fb9 fc6 1025-108d 10fc-11c2 135d-135f 1714 1734 17d2-17dd 18a9 1939-193b 1a17-1a18 1a60-1a7c 1a7f 1ab0-1abd
  1b05-1b44 1b6b-1b73 1baa-1bf3 1c37 1cd0-1cf9 1d2c-1df5 1dfb-1f15 1f18-1f1d 1f20-1f45 1f48-1f4d 1f50-1f57 1f59 1f5b
  1f5d 1f5f-1f7d 1f80-1fb4 1fb6-1fc4 1fc6-1fd3 1fd6-1fdb 1fdd-1fef 1ff2-1ff4 1ff6-1ffe 2000-205f 2070-2071 2074-208e
  2090-209c 20a8 20d0-20f0 2100-2189 2190-232a 2460-2add 2c7c-2cf1 2d6f 2d7f 2de0-2dff 2e9f-2ef3 2f00-2fd5 3000-303a
  3046-3094 3099-30ff 3131-318e 3192-319f 3200-321e 3220-32fe 3300-9f9c a66f-a6f1 a770 a7f8-a806 a8c4 a8e0-a953
  a9b3-a9c0 aab0-aac1 aaf6 ab5c-ab5f abed ac00-d7a3 f900-fa6d fa70-fad9 fb00-fb06 fb13-fb17 fb1d-fb36 fb38-fb3c fb3e
  fb40-fb41 fb43-fb44 fb46-fbb1 fbd3-fd8f fd92-fdc7 fdf0-fe19 fe20-fe52 fe54-fe66 fe68-fe6b fe70-fe74 fe76-fefc
  ff01-ffbe ffc2-ffc7 ffca-ffcf ffd2-ffd7 ffda-ffdc ffe0-ffe6 ffe8-ffee 101fd 102e0 10376-1037a 10a0d-10a0f 10a38-10a3a
  10a3f 10ae5-10ae6 11046 1107f-110ba 11100-11134 11173 111c0-111ca 11235-11236 112e9-112ea 1133c-1133e 11347
  1134b-1134d 11357 11366-1136c 11370-11374 11442-11446 114b0-114c3 115af 115b8-115c0 1163f 116b6-116b7 1172b 11c3f
  16af0-16af4 16b30-16b36 1bc9e 1d157-1d1c0 1d242-1d244 1d400-1d454 1d456-1d49c 1d49e-1d49f 1d4a2 1d4a5-1d4a6
  1d4a9-1d4ac 1d4ae-1d4b9 1d4bb 1d4bd-1d4c3 1d4c5-1d505 1d507-1d50a 1d50d-1d514 1d516-1d51c 1d51e-1d539 1d53b-1d53e
  1d540-1d544 1d546 1d54a-1d550 1d552-1d6a5 1d6a8-1d7cb 1d7ce-1d7ff 1e000-1e006 1e008-1e018 1e01b-1e021 1e023-1e024
  1e026-1e02a 1e8d0-1e8d6 1e944-1e94a 1ee00-1ee03 1ee05-1ee1f 1ee21-1ee22 1ee24 1ee27 1ee29-1ee32 1ee34-1ee37 1ee39
  1ee3b 1ee42 1ee47 1ee49 1ee4b 1ee4d-1ee4f 1ee51-1ee52 1ee54 1ee57 1ee59 1ee5b 1ee5d 1ee5f 1ee61-1ee62 1ee64
  1ee67-1ee6a 1ee6c-1ee72 1ee74-1ee77 1ee79-1ee7c 1ee7e 1ee80-1ee89 1ee8b-1ee9b 1eea1-1eea3 1eea5-1eea9 1eeab-1eebb
  1f100-1f16b 1f190 1f200-1f202 1f210-1f23b 1f240-1f248 1f250-1f251 20122-2a600 2f800-2fa1d
"""
"""The characters of edition 9.0 that one of the forms may change, and such between them as no edition changes."""


@cache
def _changed() -> re.Pattern[str]:
    ends = [[rf"\U{end:0>8}" for end in part.split("-")] for part in CHANGED.split()]
    return re.compile(f"[{''.join(map('-'.join, ends))}]+")


def normal(text: str, form: Form) -> str:
    """The text in one of `FORMS`."""
    if is_normalized(form, text):  # by a later edition: so by the earlier, which changes less
        return text
    return _changed().sub(lambda found: normalize(form, found[0]), text)
