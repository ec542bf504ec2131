"""Known vulnerabilities of the locked requirements: red where one is found, one sentence where nobody can be asked."""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = ("requirements.txt", "requirements-dev.txt", "requirements-sbom.txt")
LONGEST_S = 300
UNREACHABLE = re.compile(
    r"connect|timed out|timeout|resolve|max retries|proxy|[45]\d\d (server|client) error", re.IGNORECASE
)
COMMAND = (
    *(sys.executable, "-m", "pip_audit", "--progress-spinner", "off", "--format", "json", "--timeout", "10"),
    *("--require-hashes", "--disable-pip", "--requirement"),
)


def audit(requirements: Path) -> int:
    """Exit code: 1 for a known vulnerability, or where the network is not why nothing was judged."""
    try:
        done = subprocess.run([*COMMAND, str(requirements)], capture_output=True, text=True, timeout=LONGEST_S)
    except subprocess.TimeoutExpired:
        return judged(requirements.name, "", f"timed out after {LONGEST_S} s")
    return judged(requirements.name, done.stdout, done.stderr)


def judged(name: str, report: str, complaint: str) -> int:
    """The exit code for what pip-audit printed; its report is empty where it found nothing out."""
    if not report.strip():
        why = (complaint.strip().splitlines() or ["it said nothing"])[-1][:300]
        if UNREACHABLE.search(complaint):
            print(f"{name} was not audited, for the advisory service could not be asked ({why}).")
            return 0
        print(f"{name} could not be audited: {why}")
        return 1
    found = json.loads(report)["dependencies"]
    known = [(it["name"], it["version"], bad["id"], bad["fix_versions"]) for it in found for bad in it.get("vulns", ())]
    for package, version, ident, fixed in known:
        print(f"{package} {version}: {ident}, mended in {', '.join(fixed) or 'no version yet'}")
    print(f"{name}: {len(found)} packages, {len(known)} known vulnerabilities.")
    return int(bool(known))


if __name__ == "__main__":
    sys.exit(max([audit(ROOT / name) for name in FILES]))
