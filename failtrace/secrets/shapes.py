"""What a secret looks like by itself, in a syntax that `re` and Rust's regex both read.

Every pattern starts at a literal where it can and repeats single character classes only, so matching is linear.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from failtrace.secrets.issuers import AWS_ID, AWS_PAIR, ISSUED
from failtrace.secrets.judgement import (
    has_digit,
    is_login_in_base64,
    is_mixed,
    is_opaque,
    is_placeholder,
    is_sentence,
)


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
    unless_behind: re.Pattern[str] | None = None
    """What says, right before the match, that it is none."""


def _is_no_placeholder(value: str) -> bool:
    return not is_placeholder(value)


def _is_no_flag(value: str) -> bool:
    """Behind `-p`: `-protocol=tcp` is none of mysql's flags, but said often."""
    return not is_placeholder(value) and value.partition("=")[0] not in ("arallel", "assword", "rotocol", "rogress")


def _has_parts(value: str) -> bool:
    return "." in value


def _is_password(value: str) -> bool:
    """In a URL: no placeholder, and no port with a path behind it in which an @ stands."""
    port, slash, _ = value.partition("/")
    return not is_placeholder(value) and not (slash and (port.isdigit() or not port))


def _is_key_named(value: str) -> bool:
    return has_digit(value) and not is_placeholder(value) and not is_sentence(value)


_PEM_HEAD = r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
# Between and before its lines stands what quotes them: a repr, a traceback's margin, `> `, a number.
_PEM_CHARACTERS = r"[A-Za-z0-9+/=\s\\:,.()\"'|>-]"
_QUOTED = r"(?:[\s\"'+|>]|\\{1,8}[nr]){0,12}(?:[0-9]{1,5}[:.|)]?[ \t]{0,4})?"
_PEM_BODY = rf"{_QUOTED}(?:[A-Za-z0-9+/=]{{16}}|Proc-|Version|Comment){_PEM_CHARACTERS}*?"
_TAIL_LINE = r"(?:(?<![A-Za-z0-9+/=])|(?<=\\n))[A-Za-z0-9+/=]{16,80}+(?:[\s|>\"']|\\{1,8}[nr]){1,12}+"

_UP_TO_URL = r"[^\s\"'<>:]*(?::(?!//)[^\s\"'<>:]*)*"
"""All that may stand in a URL, where no other begins."""
_DIGEST = re.compile(
    r"(?i:hash(?:es)?|digest|checksum|integrity|signature|sha[-_]?[0-9]{1,3})(?:[\s\"'=:,({\[\\]|sha-?512){0,16}\Z"
)
_BETWEEN = r"(?:[ =]{1,2}[\"']?|[\"'], ?[\"'])"
"""What stands between a flag and its value, in a shell or in the repr of a list."""
_MYSQL = r"(?:mysql|mysqldump|mysqladmin|mariadb)"
_SQL_WORDS = (
    r"identified (?:with [a-z0-9_'\"]{1,64} )?by|with password|encrypted password"
    r"|(?:create|alter) (?:role|user) [ -&(-:<-~]{1,40} password"
    r"|set password for [ -:<>-~]{1,80} ="
)
_LOGIN = r"(?:docker|podman|nerdctl|helm registry|oras)[\"', ]{1,4}login"

_GAP = r"(?:\s|\\{1,8}[nrt]){1,8}"
_TO_ITS_END = r"(?=\\{0,7}[\"'`](?:[\s,;)}\]]|\Z)|\\{1,8}[nrt]|\s|\Z)"
"""A quote or an escape there belongs to the text around it."""
_UNQUOTED = r"(?:[^\s\"',\\]|\\(?!\\{0,7}[nrt\"']))"

SHAPES: tuple[Rule, ...] = (
    Rule(
        "private_key",
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY",
        # Up to its END line; a block without one gives up everything that could still be its body.
        _PEM_HEAD + _PEM_BODY + rf"(?:-----END [A-Z0-9 ]{{0,40}}PRIVATE KEY(?: BLOCK)?-----|(?!{_PEM_CHARACTERS})|\Z)",
        glued=True,
    ),
    Rule(
        "private_key",
        r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY",
        # Its end alone, where a cut took its head.
        rf"(?:{_TAIL_LINE}){{1,100}}+-----END [A-Z0-9 ]{{0,40}}PRIVATE KEY(?: BLOCK)?-----",
        glued=True,
    ),
    Rule("aws_secret", AWS_ID, AWS_PAIR),
    *(Rule(name, pattern) for name, pattern in ISSUED),
    Rule("mailgun", r"key-[a-z0-9]{32}", r"(?<![A-Za-z0-9][_-])key-[a-z0-9]{32}", has_digit),
    Rule(
        "webhook",
        r"(?:hooks\.slack\.com/(?:services|workflows|triggers)/|discord(?:app)?\.com/api/webhooks/"
        r"|webhook\.office\.com/webhookb2/)[A-Za-z0-9]",
        r"(?:hooks\.slack\.com/(?:services|workflows|triggers)/|discord(?:app)?\.com/api/webhooks/"
        r"|webhook\.office\.com/webhookb2/)(?P<secret>[A-Za-z0-9@_-]{6,100}/[A-Za-z0-9/@_-]{16,})",
        glued=True,
    ),
    # 64 bytes in base64: the account keys of Azure Storage, Cosmos DB and Batch. SHA-512 and Ed25519 give as many.
    Rule(
        "azure_key",
        r"[A-Za-z0-9+/]{8}==",
        r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/]{86}==(?![A-Za-z0-9+/=])",
        unless_behind=_DIGEST,
        glued=True,
    ),
    # The newer keys of Azure bear a signature of their service.
    Rule(
        "azure_key",
        r"[A-Za-z0-9+/]{8}(?:AzSe|ACDb|AZDO|APIM|\+ACR|\+ASt|JQQJ99)[A-Za-z0-9+/]{4}",
        r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/]{30,80}(?:AzSe|ACDb|AZDO|APIM|\+ACR|\+ASt|JQQJ99)[A-Za-z0-9+/]{4,40}={0,2}"
        r"(?![A-Za-z0-9+/=])",
        is_mixed,
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
        r"(?:[Bb]earer|BEARER)[ \t:=]{1,3}(?P<secret>[A-Za-z0-9._~+/-]{6,}=*)",
        is_opaque,
    ),
    Rule(
        "basic",
        r"(?:[Bb]asic|BASIC) [A-Za-z0-9+/]{6}",
        r"(?:[Bb]asic|BASIC) +(?P<secret>[A-Za-z0-9+/]{6,}={0,2})",
        is_login_in_base64,
    ),
    Rule(
        "url_password",
        r"://[^\s/:@\[]{0,128}:[^\s\"'<>@]+@",
        # Up to the last @ before the host: a password that was not quoted may hold one, and a slash; no other URL.
        rf"://[^\s/:@\[]{{0,128}}:(?P<secret>(?=[^\s\"'<>@]){_UP_TO_URL})@(?=[A-Za-z0-9_\[{{$%<-])",
        _is_password,
        glued=True,
    ),
    Rule(
        "url_token",
        r"://[A-Za-z0-9_-]{20,}@",
        r"://(?P<secret>[A-Za-z0-9_-]{20,})@",
        is_opaque,
        glued=True,
    ),
    Rule(
        "dsn_password",
        r":[^\s/:@\[\]]+@(?:tcp|unix)\(",
        r":(?P<secret>[^\s/:@\[\]]+)@(?:tcp|unix)\(",
        _is_no_placeholder,
        glued=True,
    ),
    Rule(
        "signed_url",
        r"[?&;](?i-u:sig|signature|x-(?:amz|goog)-(?:signature|credential|security-token))=",
        r"[?&;](?i:sig|signature|x-(?:amz|goog)-(?:signature|credential|security-token))="
        r"(?P<secret>[A-Za-z0-9%+/=_.-]{8,})",
        glued=True,
    ),
    Rule(
        "oauth_code",
        r"[?&]code=[A-Za-z0-9%/_.~-]{16}",
        r"[?&]code=(?P<secret>[A-Za-z0-9%/_.~-]{16,})",
        is_mixed,
        glued=True,
    ),
    # What crypt(3), htpasswd, bcrypt, scrypt and Argon2 write: guessed from them is guessed for good.
    Rule(
        "password_hash",
        r"\$(?:apr1|1|2[abxy]|5|6|y|7|argon2id?|argon2i|scrypt)\$[A-Za-z0-9./$=,+]{20,}",
        glued=True,
    ),
    Rule(
        "password_hash",
        r"(?:pbkdf2_sha(?:1|256|512)|bcrypt_sha256|scrypt)\$[A-Za-z0-9./$=,+]{20,}|\{S?(?:SHA|MD5)[0-9]{0,3}\}[A-Za-z0-9+/]{20,}",
        glued=True,
    ),
    Rule(
        "digest_response",
        r"[, ]response=\\{0,7}[\"'][0-9a-f]{8}",
        r"[, ]response=\\{0,7}[\"'](?P<secret>[0-9a-f]{32,})",
        glued=True,
    ),
    # `urlsplit` shows a URL in its parts; Oracle writes a user and a password in a way of its own.
    Rule(
        "url_password",
        r"netloc=[\"'][^\s/:@\"']{0,128}:",
        r"netloc=[\"'][^\s/:@\"']{0,128}:(?P<secret>[^\s\"']+)@",
        _is_no_placeholder,
    ),
    Rule(
        "url_password",
        r"jdbc:oracle:[a-z0-9]{2,8}:[^\s/@]{1,64}/",
        r"jdbc:oracle:[a-z0-9]{2,8}:[^\s/@]{1,64}/(?P<secret>[^\s@\"']{1,256})@",
        _is_no_placeholder,
    ),
    Rule(
        "private_key",
        r"Private-Lines: [0-9]",
        r"Private-Lines: [0-9]{1,4}(?:\s|\\{1,8}[nr]){1,4}(?P<secret>(?:[A-Za-z0-9+/=]{16,}(?:\s|\\{1,8}[nr]){0,4})++)",
    ),
    Rule(
        "private_key",
        r"BEGIN (?:OpenVPN Static key|SSH2 ENCRYPTED PRIVATE KEY)",
        r"BEGIN (?:OpenVPN Static key V1-----|SSH2 ENCRYPTED PRIVATE KEY ----)(?:\s|\\{1,8}[nr]){0,4}"
        r"(?:Comment: [^\n\\]{0,200}(?:\s|\\{1,8}[nr]){1,4})?"
        r"(?P<secret>(?:[A-Za-z0-9+/=]{16,}(?:\s|\\{1,8}[nr]){0,4})++)",
    ),
    Rule(
        "sql_password",
        rf"(?:(?i-u:{_SQL_WORDS})|PASSWORD) {{1,3}}'[^'\n]",
        rf"(?:(?i:{_SQL_WORDS})|PASSWORD) {{1,3}}'(?P<secret>[^'\n]{{3,}}+)'",
        _is_no_placeholder,
    ),
    Rule(
        "netrc",
        r"machine(?:\s|\\{1,8}[nrt]){1,8}\S{1,128}",
        rf"machine{_GAP}\S{{1,128}}?{_GAP}login{_GAP}\S{{1,128}}?{_GAP}password{_GAP}(?P<secret>\S{{3,}}?){_TO_ITS_END}",
        _is_no_placeholder,
    ),
    Rule(
        "flag_password",
        rf"{_MYSQL}[\"', ]",
        rf"{_MYSQL}[\"', ](?:[^\n|;]{{0,120}}?[\"' ])??-p(?:\\{{0,7}}[\"'])?(?P<secret>{_UNQUOTED}{{4,}})",
        _is_no_flag,
    ),
    Rule(
        "flag_password",
        rf"sshpass[\"', ]|redis-cli[\"', ]|{_LOGIN}",
        rf"(?:sshpass[\"', ]{{1,4}}-p|redis-cli[^\n|;]{{0,120}}[\"' ]-a|{_LOGIN}[^\n|;]{{0,120}}?[\"' ]-p){_BETWEEN}?"
        rf"(?P<secret>{_UNQUOTED}{{3,}})",
        _is_no_placeholder,
    ),
    Rule(
        "user_password",
        r"(?:curl|wget|httpie)[\"', ]",
        rf"(?:curl|wget|httpie)[\"', ](?:[^\n|;]{{0,300}}?[\"', ])??(?:-u|--user|-a|--auth){_BETWEEN}?"
        rf"[^\s:\"']{{1,64}}:(?P<secret>(?:,|{_UNQUOTED}){{3,}}+)",
        _is_no_placeholder,
    ),
    Rule(
        "basic_auth",
        r"(?i-u:auth)=?\(\s?[\"'][^\"'\n]",
        r"(?i:auth)=?\(\s?[\"'][^\"'\n]{1,128}[\"'],\s{0,8}[\"'](?P<secret>[^\"'\n]{3,}+)[\"']",
        _is_no_placeholder,
        glued=True,
    ),
    Rule(
        "api_key",
        r"(?i-u:api key|access key) (?i-u:provided|used|given|invalid|rejected):? ?[\"'`]?[^\s\"'`]{12}",
        r"(?i:api key|access key) (?i:provided|used|given|invalid|rejected):? ?"
        rf"[\"'`]?(?P<secret>(?:(?![`;]){_UNQUOTED}){{12,}})",
        _is_key_named,
    ),
    Rule(
        "docker_env",
        r"(?:ENV|ARG|setx|SETX) [A-Z_]{0,40}(?:PASSWORD|SECRET|TOKEN|KEY|PASSWD|PASS) [^\s=]",
        r"(?:ENV|ARG|setx|SETX) [A-Z_]{0,40}(?:PASSWORD|SECRET|TOKEN|API_KEY|ACCESS_KEY|PASSWD|PASS) "
        rf"(?P<secret>[^\s=]\S{{3,}}?){_TO_ITS_END}",
        _is_no_placeholder,
    ),
    Rule(
        "seed_phrase",
        r"(?i-u:(?:seed|recovery)[ _-]?(?:phrase|words)|mnemonic)[\"']?\s?[:=]\s?[\"']?[a-z]{3,8} [a-z]{3,8} ",
        r"(?i:(?:seed|recovery)[ _-]?(?:phrase|words)|mnemonic)[\"']?\s?[:=]\s?[\"']?"
        r"(?P<secret>(?:[a-z]{3,8} ){11,23}[a-z]{3,8})",
    ),
)
