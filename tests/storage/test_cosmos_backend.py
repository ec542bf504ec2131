"""Failures in a real Cosmos-compatible container: what is written, what comes back, and what goes wrong."""

import json
import multiprocessing
import subprocess
import sys
from typing import Any

import pytest
from support.cosmos_fixtures import Cosmos
from support.cosmos_proxy import COMMIT_THEN_DROP, Answer, Request, refusal
from support.records import make_record

from failtrace.codec import digest, encode_record
from failtrace.contracts import TraceRecord
from failtrace.errors import UnreadableRecord
from failtrace.storage.cosmos.backend import CosmosBackend
from failtrace.storage.cosmos.delivery import CosmosFault, FaultKind
from failtrace.storage.cosmos.provision import indexing_policy

TRICKY = {
    "floats": [1.0, -0.0, 1e20, 1e308, 5e-324, 0.1, 2.0**53],
    "10": "ten",
    "2": {"b": 1, "0": 2.0},
    "integers": [2**53, -(2**53), 0],
    "text": "中文 \u2028 \x7f é 🙂",
    "marked": {"$failtrace": "float", "value": "nan"},
}


def fid(record: TraceRecord) -> str:
    assert record.failure_id is not None
    return record.failure_id


def sent(backend: CosmosBackend, **fields: Any) -> tuple[TraceRecord, bytes]:
    record = make_record(**fields)
    body = encode_record(record)
    backend.send(fid(record), body)
    return record, body


def test_a_record_comes_back_byte_for_byte(cosmos: Cosmos) -> None:
    """Numbers that doubles or JavaScript change, CJK text and odd keys are as they were."""
    backend = cosmos.backend()
    record, body = sent(backend, input=TRICKY, output=TRICKY)

    assert backend.get(fid(record)) == body


def test_an_item_is_what_the_design_says(cosmos: Cosmos) -> None:
    """Id and partition key are the failure_id, the summary stands at the top, the record is an object."""
    record, body = sent(cosmos.backend())

    (item,) = cosmos.items()

    assert item["id"] == item["failure_id"] == record.failure_id
    assert item["sha256"] == digest(body)
    assert (item["failure_type"], item["subject"], item["run_id"]) == ("exception", "answer", "run-1")
    assert TraceRecord.model_validate_json(json.dumps(item["record"])) == record
    assert "exact" not in item
    assert item["bytes"] == len(body)


def test_a_lookup_is_one_point_read(cosmos: Cosmos) -> None:
    """No query, no second request; an unknown id costs one, and one that can be none of ours costs nothing."""
    backend = cosmos.backend()
    record, _ = sent(backend)
    cosmos.proxy.log.clear()

    def asked() -> list[str]:
        # The SDK looks at the account now and then, by a thread of its own.
        return [line.kind for line in cosmos.proxy.log if line.kind != "other"]

    backend.get(fid(record))
    assert asked() == ["read"]
    assert backend.get("0193f6c2-7a1b-7c3d-8e4f-0123456789ab") is None
    assert asked() == ["read", "read"]
    assert backend.get("../' OR 1=1") is None
    assert asked() == ["read", "read"]


def test_a_large_record_is_stored_in_parts(cosmos: Cosmos) -> None:
    """30 MB come back equal; every item stays under 2,000,000 bytes; the head is written last."""
    backend = cosmos.backend()
    record = make_record(input={"blob": '"\\é中' * 5_000_000})
    body = encode_record(record)

    delivered = backend.send(fid(record), body)
    creates = cosmos.proxy.seen("create")

    assert len(body) > 30_000_000
    assert delivered.parts == len(creates) - 1 > 20
    assert max(line.bytes for line in creates) < 2_000_000
    assert backend.get(fid(record)) == body
    heads = [item for item in cosmos.items() if item["kind"] == "failure"]
    assert [head["parts"] for head in heads] == [delivered.parts]


def test_a_damaged_part_is_unreadable(cosmos: Cosmos) -> None:
    """A part that lost a character is told from one that did not; a missing one as well."""
    backend = cosmos.backend()
    record, _ = sent(backend, input="x" * 2_000_000)
    part = cosmos.raw().read_item(f"{fid(record)}.part-1", fid(record))
    cosmos.raw().replace_item(part["id"], {**part, "text": part["text"][:-1]})

    with pytest.raises(UnreadableRecord, match="part-1"):
        backend.get(fid(record))
    cosmos.raw().delete_item(part["id"], fid(record))
    with pytest.raises(UnreadableRecord, match="part-1"):
        backend.get(fid(record))


def test_sending_twice_makes_no_twin(cosmos: Cosmos) -> None:
    """A second send of the same content is a success; another content under the id is refused."""
    backend = cosmos.backend()
    record, body = sent(backend, number=77)

    backend.send(fid(record), body)
    other = encode_record(make_record(number=77, message="another"))
    with pytest.raises(CosmosFault, match="another content") as caught:
        backend.send(fid(record), other)
    assert (caught.value.kind, caught.value.status) == (FaultKind.POISON, 409)
    assert backend.get(fid(record)) == body
    assert len(cosmos.items()) == 1


def test_a_commit_without_an_answer_is_found_again(cosmos: Cosmos) -> None:
    """The server stored it and the connection broke: the next attempt finds it there."""
    backend = cosmos.backend()
    record = make_record()
    body = encode_record(record)
    proxy = cosmos.proxy

    with (
        proxy.failing(lambda request: COMMIT_THEN_DROP if request.is_create else None),
        pytest.raises(CosmosFault) as caught,
    ):
        backend.send(fid(record), body)
    assert caught.value.kind is FaultKind.TRANSIENT
    backend.send(fid(record), body)
    assert len(cosmos.items()) == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, FaultKind.POISON),
        (413, FaultKind.POISON),
        (401, FaultKind.SETUP),
        (403, FaultKind.SETUP),
        (404, FaultKind.SETUP),
        (408, FaultKind.TRANSIENT),
        (429, FaultKind.TRANSIENT),
        (449, FaultKind.TRANSIENT),
        (500, FaultKind.TRANSIENT),
        (503, FaultKind.TRANSIENT),
    ],
)
def test_every_refusal_says_what_to_do(cosmos: Cosmos, status: int, kind: FaultKind) -> None:
    """Each status is transient, a matter of the set-up, or of this record; one sentence, and never the key."""
    backend = cosmos.backend()
    sent(backend)
    record = make_record()
    told = {"x-ms-retry-after-ms": "20"} if status == 429 else {}

    def fault(request: Request) -> Any:
        return refusal(status, "It was refused, for a test.", **told) if request.is_create else None

    with cosmos.proxy.failing(fault), pytest.raises(CosmosFault) as caught:
        backend.send(fid(record), encode_record(record))

    assert (caught.value.kind, caught.value.status) == (kind, status)
    assert str(caught.value).endswith((".", "`"))
    assert str(cosmos.key)[:12] not in str(caught.value)
    if status == 429:
        assert caught.value.retry_after_s == pytest.approx(0.02)
    if kind is FaultKind.SETUP:
        assert "COSMOS_" in str(caught.value)


def test_a_wrong_clock_is_called_so(cosmos: Cosmos) -> None:
    """Azure's words about the date of a request become a sentence about the clock."""
    backend = cosmos.backend()
    sent(backend)
    said = "The authorization token is not valid at the current time. Date header is more than 15 minutes off."

    def fault(request: Request) -> Any:
        return refusal(403, said) if request.is_create else None

    record = make_record()
    with cosmos.proxy.failing(fault), pytest.raises(CosmosFault, match="clock") as caught:
        backend.send(fid(record), encode_record(record))
    assert caught.value.kind is FaultKind.SETUP


@pytest.mark.parametrize(
    ("changed", "variable"),
    [
        ({"cosmos_key": "d3Jvbmc="}, "COSMOS_KEY"),
        ({"cosmos_database": "not-there"}, "COSMOS_DATABASE"),
        ({"cosmos_container": "not-there"}, "COSMOS_CONTAINER_TRACES"),
    ],
)
def test_a_wrong_setting_is_named(cosmos: Cosmos, changed: dict[str, Any], variable: str) -> None:
    """A wrong key, database or container is a fault of the set-up whose sentence names its variable."""
    from pydantic import SecretStr

    if "cosmos_key" in changed:
        changed = {"cosmos_key": SecretStr(changed["cosmos_key"])}
    with pytest.raises(CosmosFault, match=variable) as caught:
        cosmos.backend(**changed).get("x")

    assert caught.value.kind is FaultKind.SETUP


def test_another_partition_key_is_named(cosmos_account: Cosmos) -> None:
    """A container that was made for something else is never written to."""
    from azure.cosmos import PartitionKey

    client = cosmos_account.client()
    client.create_database_if_not_exists(cosmos_account.database)
    client.get_database_client(cosmos_account.database).create_container(
        cosmos_account.container, PartitionKey(path="/subject")
    )

    for use in (lambda backend: backend.get("x"), lambda backend: backend.provision()):
        with pytest.raises(CosmosFault, match="COSMOS_CONTAINER_TRACES") as caught:
            use(cosmos_account.backend())
        assert "/subject" in str(caught.value)


def test_what_is_no_cosmos_is_said_so(cosmos: Cosmos) -> None:
    """An endpoint that answers, but with a web page, or 404."""
    page = Answer(200, {"content-type": "text/html"}, b"<html>hello</html>")
    for answer in (page, refusal(404, "no such page")):
        with (
            cosmos.proxy.failing(lambda _, answer=answer: answer),
            pytest.raises(CosmosFault, match="COSMOS_ENDPOINT") as caught,
        ):
            cosmos.backend().get("x")
        assert caught.value.kind is FaultKind.SETUP


def test_a_foreign_item_is_unreadable_and_kept(cosmos: Cosmos) -> None:
    """An item of another program is one sentence, and its JSON can be read as it is."""
    cosmos.raw().create_item({"id": "theirs", "failure_id": "theirs", "hello": [1, 2]})
    backend = cosmos.backend()

    with pytest.raises(UnreadableRecord, match="not written by failtrace"):
        backend.get("theirs")
    raw = backend.raw("theirs")
    assert raw is not None
    assert json.loads(raw) == {"id": "theirs", "failure_id": "theirs", "hello": [1, 2]}


def test_changes_come_oldest_first_without_parts(cosmos: Cosmos) -> None:
    """Whatever was written since, in pages; foreign items are among them."""
    backend = cosmos.backend()
    records = [sent(backend)[0] for _ in range(5)]
    sent(backend, input="x" * 2_000_000)
    cosmos.raw().create_item({"id": "theirs", "failure_id": 7})

    pages = list(backend.changes(0, page_size=3))
    changes = [change for page in pages for change in page]

    assert [change.ts for change in changes] == sorted(change.ts for change in changes)
    assert {change.id for change in changes} >= {fid(record) for record in records} | {"theirs"}
    assert len(changes) == 7
    assert list(backend.changes(changes[-1].ts + 10)) in ([], [()])


def test_provisioning_twice_changes_nothing(cosmos_account: Cosmos) -> None:
    """Database and container are made once, with our indexing and expiry; what differs later is mended."""
    backend = cosmos_account.backend()

    assert any("was made" in line for line in backend.provision())
    found = cosmos_account.raw().read()
    wanted = {path["path"] for path in indexing_policy()["includedPaths"]}
    assert {path["path"] for path in found["indexingPolicy"]["includedPaths"]} == wanted
    assert found["partitionKey"]["paths"] == ["/failure_id"]
    assert found["defaultTtl"] == -1
    assert all("was there" in line for line in backend.provision())


def test_provisioning_without_the_right_says_who_can(cosmos: Cosmos) -> None:
    """A data role is refused with 403: the sentence holds the commands for somebody else."""
    with (
        cosmos.proxy.failing(lambda request: refusal(403, "No.") if request.method == "POST" else None),
        pytest.raises(CosmosFault, match="az cosmosdb sql container"),
    ):
        cosmos.backend().provision()


def test_retention_gives_items_an_end(cosmos: Cosmos) -> None:
    """The ttl counts from when the failure occurred; one that is past it lives a second more."""
    from datetime import UTC, datetime, timedelta

    from failtrace.storage.cosmos.account import CosmosAccount

    backend = CosmosBackend(CosmosAccount.from_settings(cosmos.settings()), retention_days=30)
    young = make_record(ended_at=datetime.now(UTC) - timedelta(days=10))
    old = make_record(ended_at=datetime.now(UTC) - timedelta(days=40))
    for record in (young, old):
        backend.send(fid(record), encode_record(record))

    found = {item["id"]: item["ttl"] for item in cosmos.items()}

    assert found.get(fid(young)) == pytest.approx(20 * 86_400, abs=60)
    assert found.get(fid(old), 1) == 1


def test_neither_import_nor_construction_loads_the_sdk() -> None:
    """`azure` is loaded by the first request, in the thread that makes it."""
    code = (
        "import sys; from failtrace.storage.cosmos.backend import CosmosBackend; "
        "from failtrace.storage.cosmos.account import CosmosAccount; "
        "CosmosBackend(CosmosAccount('https://a/', None, 'b', 'c')).health(); "
        "sys.exit(any(name.split('.')[0] == 'azure' for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def _read(backend: CosmosBackend, failure_id: str, answers: Any) -> None:
    answers.put(backend.get(failure_id))


def test_a_forked_child_connects_anew(cosmos: Cosmos) -> None:
    """Parent and child use the same backend object, each by connections of its own."""
    backend = cosmos.backend()
    record, body = sent(backend)
    context = multiprocessing.get_context("fork")
    answers = context.Queue()

    child = context.Process(target=_read, args=(backend, fid(record), answers))
    child.start()

    assert answers.get(timeout=30) == body
    child.join(30)
    assert backend.get(fid(record)) == body
