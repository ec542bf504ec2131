"""What the project stands on: locked by hash, audited where that can be asked, and listed."""

import json
import os
import re
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
REPORT = {
    "dependencies": [
        {"name": "sound", "version": "1.0", "vulns": []},
        {"name": "broken", "version": "2.0", "vulns": [{"id": "PYSEC-0000-1", "fix_versions": ["2.1"]}]},
    ],
    "fixes": [],
}


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    spec = spec_from_file_location("audit", ROOT / ".ci" / "audit.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt", "requirements-sbom.txt"])
def test_every_requirement_is_pinned_by_hash(name: str) -> None:
    """The same bytes everywhere: a version and a sha256 for each, no address, no index."""
    text = (ROOT / name).read_text("utf-8").replace("\\\n", "")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]

    assert len(lines) > 20
    assert [line for line in lines if not re.match(r"[\w.\[\]-]+==[\w.+!]+ .*--hash=sha256:[0-9a-f]{64}", line)] == []
    assert "://" not in text


def test_a_known_vulnerability_is_red(audit: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    """By its name, version and cure; a list without one is not, and one that was not judged is."""
    assert audit.judged("r.txt", json.dumps(REPORT), "") == 1
    assert "broken 2.0: PYSEC-0000-1, mended in 2.1" in capsys.readouterr().out

    assert audit.judged("r.txt", json.dumps({"dependencies": REPORT["dependencies"][:1]}), "") == 0
    assert audit.judged("r.txt", "", "ERROR: requirement broken does not contain a hash") == 1
    assert audit.judged("r.txt", "", "") == 1


def test_a_service_that_cannot_be_reached_is_one_sentence(tmp_path: Path) -> None:
    """Asked through a proxy that nobody is: no failure, and no silence."""
    proxies = dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"), "http://127.0.0.1:9")
    done = subprocess.run(
        [sys.executable, str(ROOT / ".ci" / "audit.py")],
        capture_output=True,
        text=True,
        timeout=110,
        env={**os.environ, **proxies, "XDG_CACHE_HOME": str(tmp_path)},
    )

    assert done.returncode == 0, done.stdout
    assert done.stdout.count("could not be asked") == 3


@pytest.mark.timeout(330)
def test_the_bill_of_materials_lists_every_requirement(tmp_path: Path) -> None:
    """`make sbom` writes CycloneDX, with each locked package and its hashes."""
    subprocess.run(
        ["make", "sbom", f"PYTHON={sys.executable}", f"SBOM={tmp_path / 'sbom.json'}"],
        cwd=ROOT,
        check=True,
        timeout=300,
    )

    bill = json.loads((tmp_path / "sbom.json").read_text("utf-8"))
    locked = set(re.findall(r"^([\w.-]+)==", (ROOT / "requirements.txt").read_text("utf-8"), re.MULTILINE))
    assert bill["bomFormat"] == "CycloneDX"
    assert locked <= {it["name"] for it in bill["components"]}
    assert all(
        any(ref.get("hashes") for ref in it["externalReferences"]) for it in bill["components"] if it["name"] in locked
    )
