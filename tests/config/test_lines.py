"""Proves that lines are found in any TOML that its parser accepts."""

import tomllib

import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from snakepit.config.lines import line_of, lines_of

TEXT = """\
# [not] a header
a = "x # [no]"   # b = 1
[one]
'quoted key' = '''
fake = 1
[fake]
'''
list = [ 1, # [x]
  2, "]",
]
inline = { c = 1, d = [1, 2] }
[two . "three"]
a.b = 1
[[many]]
x = "\\"\\\\"
[[many]]
y = \"\"\"a \\\"\"\" b = 1 \"\"\"
[many.sub]
z = 1
"""


def test_every_place_has_its_line() -> None:
    lines = lines_of(TEXT)
    assert lines == {
        ("a",): 2,
        ("one",): 3,
        ("one", "quoted key"): 4,
        ("one", "list"): 8,
        ("one", "inline"): 11,
        ("two", "three"): 12,
        ("two", "three", "a"): 13,
        ("two", "three", "a", "b"): 13,
        ("many", 0): 14,
        ("many", 0, "x"): 15,
        ("many", 1): 16,
        ("many", 1, "y"): 17,
        ("many", 1, "sub"): 18,
        ("many", 1, "sub", "z"): 19,
    }
    assert line_of(("one", "inline", "c"), lines) == 11
    assert line_of(("many",), lines) == 14
    assert line_of(("none", "such"), lines) == 0
    assert lines_of(TEXT.replace("\n", "\r\n")) == lines


leaves = st.integers() | st.booleans() | st.text(max_size=20)
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3), max_leaves=8)
tables = st.dictionaries(st.text(max_size=6), values, max_size=4)
documents = st.dictionaries(
    st.text(max_size=6), values | tables | st.lists(tables, min_size=1, max_size=3), max_size=5
)


@given(document=documents, multiline=st.booleans())
def test_any_key_is_found_on_the_line_that_names_it(
    document: dict[str, object], multiline: bool
) -> None:
    text = tomli_w.dumps(document, multiline_strings=multiline)
    rows = text.replace("\r\n", "\n").split("\n")
    lines = lines_of(text)
    for table, value in tomllib.loads(text).items():
        for key in value if isinstance(value, dict) else ():
            row = rows[lines[(table, key)] - 1]
            assert row.startswith(tomli_w.dumps({key: 1}).removesuffix("1\n"))
