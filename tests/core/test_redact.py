"""Secrets are masked wherever they stand; what is none stays byte for byte."""

import json
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snakepit import clock
from snakepit.core.redact import MASK, Redactor

PLAIN = Redactor()
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH"


class Shape(NamedTuple):
    test_id: str
    text: str
    secret: str


def made(prefix: str, size: int) -> str:
    """Never a whole key in the source: scanners of repositories would find it."""
    return prefix + (LETTERS * 3)[:size]


JWT = ".".join([made("eyJ", 20), made("eyJ", 30), made("", 40)])
PEM = "-----BEGIN {0}PRIVATE KEY-----\n{1}\n{1}\n-----END {0}PRIVATE KEY-----"
SHAPES = [
    Shape("anthropic", "key {}.", made("sk-ant-api03-", 40)),
    Shape("openai", "({})", made("sk-proj-", 40)),
    Shape("stripe", "{}", made("sk_live_", 24)),
    Shape("github", "{}", made("ghp_", 36)),
    Shape("github server", "x{}", made("ghs_", 36)),
    Shape("github fine grained", "{}", made("github_pat_", 60)),
    Shape("aws", "id={}", "AKIA" + "ABCDEFGH12345678"),
    Shape("slack", "{}", made("xoxb-", 30)),
    Shape("gitlab", "{}", made("glpat-", 20)),
    Shape("google", "{}", made("AIza", 35)),
    Shape("hugging face", "{}", made("hf_", 34)),
    Shape("npm", "{}", made("npm_", 36)),
    Shape("pypi", "{}", made("pypi-", 60)),
    Shape("jwt", "token {} end", JWT),
    Shape("bearer", "Authorization: Bearer {}", made("", 30)),
    Shape("bearer in JSON", '{{"h": "bearer {}"}}', made("", 30)),
    Shape("basic", "authorization: basic {}", made("", 30)),
    Shape("url", "git clone https://me:{}@host/x.git", "hunter2"),
    Shape("url without user", "redis://:{}@host:6379", "hunter2"),
    Shape("environment", "MY_API_KEY={}", "hunter2hunter2"),
    Shape("exported", "export GITHUB_TOKEN='{}'", "hunter2hunter2"),
    Shape("yaml", "password: {}", "hunter2hunter2"),
    Shape("json", '{{"client_secret": "{}"}}', "hunter2hunter2"),
    Shape("json in json", '"{{\\"api_key\\": \\"{}\\"}}"', "hunter2hunter2"),
    Shape("camel", 'apiKey = "{}"', "hunter2hunter2"),
    Shape("pem", "{}", PEM.format("RSA ", made("", 60))),
    Shape("pem without end", "{}", PEM.format("", made("", 60))[:120]),
    Shape("pem in JSON", '"{}"', json.dumps(PEM.format("EC ", made("", 60)))[1:-1]),
]


@pytest.mark.parametrize("case", SHAPES, ids=lambda case: case.test_id)
def test_a_known_shape_is_masked_and_what_stands_around_it_stays(case: Shape) -> None:
    text = case.text.format(case.secret)
    cleaned = PLAIN.clean(text)
    assert case.secret not in cleaned
    assert cleaned == case.text.format(MASK)
    assert PLAIN.clean(cleaned) == cleaned
    assert PLAIN.clean_bytes(text.encode()) == cleaned.encode()


HARMLESS = [
    "task-1.md risk-assessment-of-the-whole-project desk-lamp-and-something-long",
    "monkey: banana-and-something",
    '{"input_tokens": 123456789, "output_tokens":12345678}',
    "token: 12345678",
    "secret=true password=null",
    "the key to this is understanding",
    "https://example.org/a:b@c and me@example.org",
    "ssh://git@github.com/me/x.git",
    "http://localhost:8080/x",
    "bearer of bad news",
    "AKIA is a prefix, AIza too, hf_ and npm_ and eyJ",
    "-----BEGIN CERTIFICATE-----",
    "sk-short",
    "",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret_stays(text: str) -> None:
    assert PLAIN.clean(text) == text


VALUE = 'a "long" se\\cret, with ünicode'


@pytest.mark.parametrize(
    "text",
    [VALUE, f"x{VALUE}y", json.dumps({"a": [VALUE]}), json.dumps([VALUE], ensure_ascii=False)],
)
def test_a_given_value_is_masked_as_it_is_and_inside_json(text: str) -> None:
    cleaned = Redactor([VALUE]).clean(text)
    assert MASK in cleaned
    assert "cret" not in cleaned


def test_a_value_of_many_lines_is_masked_line_by_line_too() -> None:
    redactor = Redactor(["first line of it\nsecond line of it\nx\n"])
    assert redactor.clean("a second line of it b") == f"a {MASK} b"
    assert redactor.clean("x marks the spot") == "x marks the spot"


def test_a_value_that_contains_another_is_masked_whole() -> None:
    redactor = Redactor(["12345678", "1234567890abc"])
    assert redactor.clean("1234567890abc 12345678") == f"{MASK} {MASK}"


@pytest.mark.parametrize("value", ["", "short", "       x       "])
def test_a_value_too_short_to_be_told_from_words_is_left(value: str) -> None:
    assert Redactor([value]).clean(f"a short{value} text x") == f"a short{value} text x"


@given(st.binary(max_size=60))
def test_bytes_of_any_encoding_stay_as_they_are(data: bytes) -> None:
    if PLAIN.clean(data.decode("latin-1")) == data.decode("latin-1"):
        assert PLAIN.clean_bytes(data) == data


@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=8, max_size=30),
    st.text(max_size=20),
    st.text(max_size=20),
)
def test_no_given_value_survives(value: str, before: str, after: str) -> None:
    cleaned = Redactor([value]).clean(before + value + after)
    if len(value.strip()) >= 8 and value not in MASK:
        assert value not in cleaned.replace(MASK, "\n\n\n")


@pytest.mark.parametrize(
    "word", ["key-", "key =key=", "key: ", "eyJ", "sk-", "://a:b:", "Bearer ", "AKIA", 'key\\"']
)
def test_no_text_takes_more_than_its_length(word: str) -> None:
    """A snake may print anything, and its worker must not stand still for it."""
    began = clock.monotonic()
    PLAIN.clean(word * (100_000 // len(word)))
    assert clock.monotonic() - began < 2


def test_a_shape_behind_other_letters_is_found() -> None:
    token = f"eyJ{'a' * 10}.eyJ{'b' * 10}.c"
    assert PLAIN.clean(f"\x1b[1m{token} x{token}") == f"\x1b[1m{MASK} x{MASK}"
    assert PLAIN.clean("MY_API_KEY_OLD = abcdefgh1") == f"MY_API_KEY_OLD = {MASK}"


TEXTS = st.text(max_size=30) | st.sampled_from([c.text.format(c.secret) for c in SHAPES])
NAMES = st.sampled_from(["a", "api_key", "password"])


@given(
    st.recursive(TEXTS, lambda inner: st.dictionaries(NAMES, inner) | st.lists(inner), max_leaves=6)
)
def test_json_stays_json(value: object) -> None:
    json.loads(PLAIN.clean(json.dumps(value)))
    json.loads(PLAIN.clean(json.dumps(value, ensure_ascii=False)))
