"""What a secret looks like by itself: one rule a kind of token, in a syntax that `re` and Rust's regex both read.

Every pattern starts at a literal where it can and repeats single character classes only, so matching is linear.
The shapes are those the issuers document and that gitleaks and GitHub secret scanning look for.
"""

import base64
import binascii
import re
from collections.abc import Callable
from typing import NamedTuple

_PLACEHOLDER = re.compile(
    r"""(?:(?:bearer|basic|token)\s+)?(?:
        \{\{.{1,80}\}\} | \$?\{[^{}\s"':]{1,80}\} | \$\([^()]{1,80}\) | \$[A-Z_][A-Z0-9_]* | %\w+% | %\(\w+\)s | %s
      | <[^<>]{1,60}> | [*•]+ | x{3,} | \.{2,} | … | -+ | \[[a-z]+(?::[\w:.-]{1,60})?\]
      | bearer | basic | digest | token | none | null | nil | true | false | undefined | empty | unset
      | changeme | your[_-][\w-]{1,40}
    )|.*\*{3,}.*""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_OPAQUE = re.compile(r"\S{6,8192}")
_DIGIT = re.compile(r"[0-9]")
_DIGIT_AND_LETTER = re.compile(r"(?=\D*\d)(?=[^A-Za-z]*[A-Za-z])\S+\Z")
_LETTER = re.compile(r"[A-Za-z]")
_WORD_WITH_NUMBER = re.compile(r"[A-Za-z]+[-_ ]?[0-9]{1,2}")
PLAIN_PATH = re.compile(r"(?:~|\.{1,2})?(?:/[A-Za-z_.-]{2,}[0-9]{0,2})+/?|[a-z]{2,8}://[^@\s]*")
"""A path of words, or an address without a password: it says where something is."""


class Rule(NamedTuple):
    """One kind of secret. Where `pattern` has a group `secret`, only that group is replaced."""

    name: str
    gate: str
    """What must be in a text for the rule to matter; no look-around, so that Rust's regex takes it."""
    pattern: str | None = None
    """The Python pattern; None where the gate says it all."""
    accept: Callable[[str], bool] | None = None
    """A last look at the secret found; None accepts all."""
    glued: bool = False
    """Whether a letter or digit may stand right before the match."""


def is_placeholder(value: str) -> bool:
    """Whether `value` stands in for a secret (`***`, `${TOKEN}`, `<password>`, `None`, `[redacted:…]`)."""
    return _PLACEHOLDER.fullmatch(value.strip()) is not None


def is_opaque(value: str) -> bool:
    """Whether `value` reads like a credential and not like a word, a number, a date or an address."""
    if not _OPAQUE.fullmatch(value) or "://" in value or is_placeholder(value):
        return False
    if not _DIGIT.search(value):
        return len(value) >= 20 and value.isalnum() and value not in (value.lower(), value.upper())
    return _LETTER.search(value) is not None and not _WORD_WITH_NUMBER.fullmatch(value)


def has_digit(value: str) -> bool:
    """Whether `value` is one word of five characters or more with a digit in it: too little for prose to be."""
    return len(value) >= 5 and _DIGIT_AND_LETTER.match(value) is not None


def _is_basic(value: str) -> bool:
    try:
        decoded = base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
    except binascii.Error:
        return False
    return b":" in decoded and decoded.decode("utf-8", "replace").isprintable()


def _is_no_placeholder(value: str) -> bool:
    return not is_placeholder(value)


def _has_parts(value: str) -> bool:
    return "." in value


_AWS_ID = r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}"
_PEM_HEAD = r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
_PEM_BODY = r"(?:[\s\"'+]|\\[nr]){1,12}(?:[A-Za-z0-9+/=]{16}|Proc-|Version|Comment)[A-Za-z0-9+/=\s\\:,.()\"'-]*?"

SHAPES: tuple[Rule, ...] = (
    Rule(
        "private_key",
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY",
        # Up to its END line; a block without one gives up everything that could still be its body.
        _PEM_HEAD
        + _PEM_BODY
        + r"(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|(?![A-Za-z0-9+/=\s\\:,.()\"'-])|\Z)",
        glued=True,
    ),
    Rule("age_key", r"AGE-SECRET-KEY-1[0-9A-Z]{50,64}"),
    Rule("aws_secret", _AWS_ID, _AWS_ID + r"[\s:,;\"'|/]{1,8}(?P<secret>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])"),
    Rule("aws_key_id", _AWS_ID),
    Rule("github", r"gh[pousr]_[A-Za-z0-9]{20,255}"),
    Rule("github", r"github_pat_[A-Za-z0-9_]{20,255}"),
    Rule("gitlab", r"gl(?:pat|dt|rt|ft|soat|cbt|ptt|oas|agent)-[A-Za-z0-9_.-]{20,255}"),
    Rule("slack", r"xox[abeoprs]-[A-Za-z0-9-]{10,255}"),
    Rule("slack", r"xapp-[0-9]-[A-Za-z0-9-]{10,255}"),
    Rule(
        "slack",
        r"hooks\.slack\.com/services/T[A-Za-z0-9_]{6,16}/B[A-Za-z0-9_]{6,16}/[A-Za-z0-9_]{16,64}",
        glued=True,
    ),
    Rule("discord", r"discord(?:app)?\.com/api/webhooks/[0-9]{16,20}/[A-Za-z0-9_-]{30,100}"),
    Rule("ai_key", r"sk-(?:ant|proj|svcacct|admin|or|lf|live|test)-[A-Za-z0-9_-]{16,255}"),
    Rule("ai_key", r"sk-[A-Za-z]{0,40}[0-9][A-Za-z0-9]{12,255}"),
    Rule("ai_key", r"(?:gsk_|xai-|pplx-|r8_|nvapi-|tvly-)(?:dev-|prod-)?[A-Za-z0-9_-]{24,255}"),
    Rule("langsmith", r"lsv2_[a-z]{2}_[A-Za-z0-9_]{20,100}"),
    Rule("stripe", r"(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{10,255}"),
    Rule("stripe", r"whsec_[A-Za-z0-9+/=]{20,255}"),
    Rule("google", r"AIza[A-Za-z0-9_-]{35}"),
    Rule("google", r"ya29\.[A-Za-z0-9_.-]{20,512}"),
    Rule("google", r"GOCSPX-[A-Za-z0-9_-]{20,64}"),
    Rule("sendgrid", r"SG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,128}"),
    Rule("npm", r"npm_[A-Za-z0-9]{30,100}"),
    Rule("pypi", r"pypi-[A-Za-z0-9_-]{40,512}"),
    Rule("huggingface", r"hf_[A-Za-z0-9]{30,100}"),
    Rule("docker", r"dckr_[a-z]{2,4}_[A-Za-z0-9_-]{20,100}"),
    Rule("digitalocean", r"do[opr]_v1_[a-f0-9]{40,64}"),
    Rule("databricks", r"dapi[a-f0-9]{32}"),
    Rule("shopify", r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"),
    Rule("vault", r"hv[bs]\.[A-Za-z0-9_-]{20,512}"),
    Rule("grafana", r"gl(?:c|sa)_[A-Za-z0-9+/=_]{20,255}"),
    Rule("sentry", r"sntry[su]_[A-Za-z0-9+/=_]{20,512}"),
    Rule("newrelic", r"NRAK-[A-Z0-9]{20,40}"),
    Rule("atlassian", r"ATATT3[A-Za-z0-9_=-]{40,512}"),
    Rule("notion", r"ntn_[A-Za-z0-9]{30,100}"),
    Rule("linear", r"lin_api_[A-Za-z0-9]{24,100}"),
    Rule("figma", r"figd_[A-Za-z0-9_-]{20,100}"),
    Rule("postman", r"PMAK-[a-f0-9]{20,64}-[a-f0-9]{20,64}"),
    Rule("twilio", r"SK[a-f0-9]{32}"),
    Rule("square", r"sq0[a-z]{3}-[A-Za-z0-9_-]{22,64}"),
    Rule("telegram", r"[0-9]{8,10}:AA[A-Za-z0-9_-]{32,34}"),
    Rule("azure_secret", r"[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}"),
    # 64 bytes in base64: the account keys of Azure Storage, Cosmos DB and Batch. npm's sha512- digests are as long.
    Rule(
        "azure_key",
        r"[A-Za-z0-9+/]{8}==",
        r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/]{86}==(?![A-Za-z0-9+/=])",
        glued=True,
    ),
    Rule(
        "jwt",
        r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*\.",
        # Always takes the whole run, so that a run of many `eyJ` is read once; `accept` asks for the parts.
        r"eyJ[A-Za-z0-9_-]{8,}+(?:\.[A-Za-z0-9_-]*+(?:\.[A-Za-z0-9_-]*+){1,3})?",
        _has_parts,
    ),
    Rule(
        "bearer",
        r"(?:[Bb]earer|BEARER)[ \t:=]",
        r"(?:[Bb]earer|BEARER)[ \t:=]{1,3}(?P<secret>[A-Za-z0-9._~+/-]{6,4096}=*)",
        is_opaque,
    ),
    Rule(
        "basic",
        r"(?:[Bb]asic|BASIC) [A-Za-z0-9+/]{6}",
        r"(?:[Bb]asic|BASIC) +(?P<secret>[A-Za-z0-9+/]{6,1024}={0,2})",
        _is_basic,
    ),
    Rule(
        "url_password",
        r"://[^\s/:@\[]{0,128}:[^\s/@]{1,256}@",
        r"://[^\s/:@\[]{0,128}:(?P<secret>[^\s/@]{1,256})@",
        _is_no_placeholder,
        glued=True,
    ),
    Rule(
        "url_token",
        r"://[A-Za-z0-9_-]{20,128}@",
        r"://(?P<secret>[A-Za-z0-9_-]{20,128})@",
        is_opaque,
        glued=True,
    ),
    Rule(
        "dsn_password",
        r":[^\s/:@\[\]]{1,128}@(?:tcp|unix)\(",
        r":(?P<secret>[^\s/:@\[\]]{1,128})@(?:tcp|unix)\(",
        _is_no_placeholder,
        glued=True,
    ),
    Rule(
        "signed_url",
        r"[?&;](?i-u:sig|signature|x-(?:amz|goog)-(?:signature|credential|security-token))=",
        r"[?&;](?i:sig|signature|x-(?:amz|goog)-(?:signature|credential|security-token))="
        r"(?P<secret>[A-Za-z0-9%+/=_.-]{8,4096})",
        glued=True,
    ),
    Rule(
        "oauth_code",
        r"[?&]code=[A-Za-z0-9%/_.~-]{16,512}",
        r"[?&]code=(?P<secret>[A-Za-z0-9%/_.~-]{16,512})",
        is_opaque,
        glued=True,
    ),
    Rule("mailgun", r"key-[a-z0-9]{32}", accept=has_digit),
    # What crypt(3), htpasswd, bcrypt, scrypt and Argon2 write: guessed from them is guessed for good.
    Rule(
        "password_hash",
        r"\$(?:apr1|1|2[abxy]|5|6|y|7|argon2id?|argon2i|scrypt)\$[A-Za-z0-9./$=,+]{20,256}",
        glued=True,
    ),
    Rule(
        "sql_password",
        r"(?:(?i-u:identified by|with password|encrypted password)|PASSWORD) {1,3}'[^'\n]",
        r"(?:(?i:identified by|with password|encrypted password)|PASSWORD) {1,3}'(?P<secret>[^'\n]{3,256})'",
        _is_no_placeholder,
    ),
    Rule(
        "netrc",
        r"machine\s{1,8}\S{1,128}\s{1,8}login\s",
        r"machine\s{1,8}\S{1,128}\s{1,8}login\s{1,8}\S{1,128}\s{1,8}password\s{1,8}(?P<secret>\S{3,256})",
        _is_no_placeholder,
    ),
    Rule(
        "flag_password",
        r"(?:mysql|mysqldump|mysqladmin|mariadb) [^\n|;]{0,120}-p[^\s-]",
        r"(?:mysql|mysqldump|mysqladmin|mariadb) (?:[^\n|;]{0,120} )?-p(?P<secret>[^\s\"']{4,128})",
        _is_no_placeholder,
    ),
    Rule(
        "flag_password",
        r"(?:sshpass -p|redis-cli [^\n|;]{0,120}-a) ?[^\s-]",
        r"(?:sshpass -p|redis-cli (?:[^\n|;]{0,120} )?-a) ?(?P<secret>[^\s\"']{3,128})",
        _is_no_placeholder,
    ),
    Rule(
        "basic_auth",
        r"(?i-u:auth)=?\(\s?[\"'][^\"'\n]",
        r"(?i:auth)=?\(\s?[\"'][^\"'\n]{1,128}[\"'],\s{0,8}[\"'](?P<secret>[^\"'\n]{3,256})[\"']",
        _is_no_placeholder,
        glued=True,
    ),
    Rule(
        "seed_phrase",
        r"(?i-u:(?:seed|recovery)[ _-]?(?:phrase|words)|mnemonic)[\"']?\s?[:=]\s?[\"']?[a-z]{3,8} [a-z]{3,8} ",
        r"(?i:(?:seed|recovery)[ _-]?(?:phrase|words)|mnemonic)[\"']?\s?[:=]\s?[\"']?"
        r"(?P<secret>(?:[a-z]{3,8} ){11,23}[a-z]{3,8})",
    ),
    Rule(
        "user_password",
        r"(?:-u|--user)[ =][\"']?[^\s:\"']{1,64}:[^\s\"':/]",
        r"(?:-u|--user)[ =][\"']?[^\s:\"']{1,64}:(?P<secret>[^\s\"':/\[]{4,128}+)(?![:/])",
        lambda value: not value.isdigit() and not is_placeholder(value),
    ),
)
