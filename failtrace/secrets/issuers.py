"""Keys and tokens by which their issuers are known: a prefix, then characters of one class, so that matching is linear.

The last count of each is open, so that of a longer key nothing is left.

The prefixes are those that the issuers document and that gitleaks and GitHub's secret scanning look for.
"""

from typing import Final

_AWS_ID: Final = r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}"

ISSUED: Final[tuple[tuple[str, str], ...]] = (
    ("age_key", r"AGE-SECRET-KEY-1[0-9A-Z]{50,}"),
    ("aws_key_id", _AWS_ID),
    ("aws_session", r"(?:IQoJb3JpZ2lu|FwoGZXIvYXdz)[A-Za-z0-9+/=]{50,}"),
    ("aws_bedrock", r"ABSK[A-Za-z0-9+/=]{60,}"),
    ("github", r"gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}"),
    ("gitlab", r"gl(?:pat|dt|rt|ft|soat|cbt|ptt|oas|agent|imt|ffct)-[A-Za-z0-9_.-]{20,}"),
    (
        "gitlab",
        r"GR1348941[A-Za-z0-9_-]{20,}",
    ),
    ("slack", r"xox[a-eoprs]-[A-Za-z0-9%-]{10,}|xapp-[0-9]-[A-Za-z0-9-]{10,}"),
    ("discord", r"[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}"),
    ("ai_key", r"sk-(?:ant|proj|svcacct|admin|or|lf|live|test|None)-[A-Za-z0-9_-]{16,}"),
    ("ai_key", r"sk-[A-Za-z]{0,40}[0-9][A-Za-z0-9]{12,}"),
    ("ai_key", r"(?:gsk_|xai-|pplx-|r8_|nvapi-|tvly-)(?:dev-|prod-)?[A-Za-z0-9_-]{24,}"),
    ("ai_key", r"(?:pcsk|tgp_v[0-9]|wandb_v[0-9]|pylf_v[0-9]|apify_api|api_org|jina)_[A-Za-z0-9_-]{28,}"),
    ("ai_key", r"(?:csk-[a-z0-9]{40,}|fw_[A-Za-z0-9]{20,}|e2b_[a-f0-9]{40}|fc-[a-f0-9]{32}|sk_[a-f0-9]{48})"),
    ("langsmith", r"lsv2_[a-z]{2}_[A-Za-z0-9_]{20,}"),
    ("stripe", r"(?:sk|rk)_(?:live|test|org_live|org_test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/=]{20,}"),
    (
        "google",
        r"AIza[A-Za-z0-9_-]{35,}|ya29\.[A-Za-z0-9_.-]{20,}|GOCSPX-[A-Za-z0-9_-]{20,}|1//0[A-Za-z0-9_-]{30,}",
    ),
    ("sendgrid", r"SG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,}"),
    ("mail", r"xkeysib-[a-f0-9]{64}-[A-Za-z0-9]{8,}|re_[A-Za-z0-9]{6,12}_[A-Za-z0-9]{20,}"),
    ("npm", r"npm_[A-Za-z0-9]{30,}"),
    ("pypi", r"pypi-AgE[A-Za-z0-9_-]{40,}"),
    ("rubygems", r"rubygems_[a-f0-9]{48}"),
    ("huggingface", r"hf_[A-Za-z0-9]{30,}"),
    ("docker", r"dckr_[a-z]{2,4}_[A-Za-z0-9_-]{20,}"),
    ("digitalocean", r"do[opr]_v1_[a-f0-9]{40,}"),
    ("databricks", r"dapi[a-f0-9]{32}"),
    ("shopify", r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"),
    ("vault", r"hv[brs]\.[A-Za-z0-9_-]{20,}"),
    ("terraform", r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{60,}"),
    ("grafana", r"gl(?:c|sa)_[A-Za-z0-9+/=_]{20,}"),
    ("sentry", r"sntry[su]_[A-Za-z0-9+/=_]{20,}"),
    ("newrelic", r"NR(?:AK|II|RA)-[A-Za-z0-9_-]{20,}"),
    ("dynatrace", r"dt0[a-z][0-9]{2}\.[A-Z0-9]{24}\.[A-Z0-9]{64}"),
    ("atlassian", r"AT(?:ATT3|CTT3|BB)[A-Za-z0-9_=-]{24,}"),
    ("notion", r"ntn_[A-Za-z0-9]{30,}|secret_[A-Za-z0-9]{43}"),
    ("linear", r"lin_api_[A-Za-z0-9]{24,}"),
    ("figma", r"figd_[A-Za-z0-9_-]{20,}"),
    ("airtable", r"pat[A-Za-z0-9]{14}\.[a-f0-9]{64}"),
    ("hubspot", r"pat-[a-z]{2}[0-9]-[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}"),
    ("plaid", r"access-(?:production|sandbox|development)-[0-9a-f]{8}-[0-9a-f-]{27}"),
    ("postman", r"PMAK-[a-f0-9]{20,64}-[a-f0-9]{20,}"),
    ("twilio", r"SK[a-f0-9]{32}"),
    ("square", r"sq0[a-z]{3}-[A-Za-z0-9_-]{22,}|EAAA[A-Za-z0-9_-]{56,}"),
    ("facebook", r"EAA[A-Za-z0-9]{90,}"),
    ("telegram", r"(?:bot)?[0-9]{8,10}:AA[A-Za-z0-9_-]{32,}"),
    ("mapbox", r"[st]k\.eyJ[A-Za-z0-9_-]{20,255}\.[A-Za-z0-9_-]{10,}"),
    ("onepassword", r"ops_eyJ[A-Za-z0-9_-]{50,}"),
    ("supabase", r"sbp_[a-f0-9]{40}|sb_secret_[A-Za-z0-9_-]{20,}"),
    ("hosting", r"vercel_blob_rw_[A-Za-z0-9_]{20,}|fm[12]_[A-Za-z0-9+/=_-]{40,}|HRKU-[A-Za-z0-9_-]{30,}"),
    ("database", r"pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.-]{30,}|napi_[a-z0-9]{40,}|npg_[A-Za-z0-9]{12,}"),
    ("tailscale", r"tskey-[a-z]{3,10}-[A-Za-z0-9-]{20,}"),
    ("doppler", r"dp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9_.-]{40,}"),
    ("build", r"pul-[a-f0-9]{40}|bkua_[a-f0-9]{40}|CCIPAT_[A-Za-z0-9_]{20,}|sq[pau]_[a-f0-9]{40}"),
    (
        "build",
        r"nfp_[A-Za-z0-9]{36,}|pnu_[A-Za-z0-9]{36,}|CLOJARS_[a-z0-9]{60,}|oy2[a-z0-9]{43,}|tfp_[A-Za-z0-9_]{30,}",
    ),
    ("jfrog", r"(?:AKCp|cmVmdGtu)[A-Za-z0-9]{50,}"),
    ("dropbox", r"sl\.(?:u\.)?[A-Za-z0-9_-]{60,}"),
    ("stripe", r"(?:pi|seti)_[A-Za-z0-9]{14,40}_secret_[A-Za-z0-9]{10,}"),
    ("payments", r"duffel_(?:test|live)_[A-Za-z0-9_-]{40,}|EZ[AT]K[A-Za-z0-9]{54,}|FLWSECK(?:_TEST)?-[A-Za-z0-9]{12,}"),
    ("mailchimp", r"[0-9a-f]{32}-us[0-9]{1,2}"),
    ("openshift", r"sha256~[A-Za-z0-9_-]{43,}"),
    ("readme", r"rdme_[a-z0-9]{70,}"),
    ("shippo", r"shippo_(?:live|test)_[a-f0-9]{40}"),
    ("azure_secret", r"[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,}"),
)
"""Name and pattern of each, in a syntax that `re` and Rust's regex both read; two of one name are one rule."""

AWS_PAIR: Final = _AWS_ID + r"[\s:,;\"'|/]{1,8}(?P<secret>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])"
"""A key's id with its secret behind it."""
AWS_ID: Final = _AWS_ID
