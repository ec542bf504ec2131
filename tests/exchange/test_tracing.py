"""Spans on their way out: what arrives, and what happens when nobody takes it."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from azure.core.credentials import AccessToken
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from span_receivers import (
    KEY,
    BreezeReceiver,
    FoundryReceiver,
    OtlpReceiver,
    attributes_of,
    refused_port,
    write_certificate,
)
from support.records import make_record, make_step

from failtrace import step, tracing
from failtrace.detection.run import run_with_failure_detection
from failtrace.errors import SettingsError
from failtrace.exchange import destinations, sender, spans

PATIENCE_S = 30.0


def refund(order: str) -> str:
    """A subject that shows a secret, and fails in its second step."""
    with step("search", kind="retrieval", order=order) as found:
        found.output = "api_key=sk-live-abcdefghijklmnopqrstuvwx"
    with step("pay", kind="tool"):
        raise ValueError(f"no such order: {order}")


def test_an_execution_arrives_at_a_collector(collector: OtlpReceiver) -> None:
    """A real execution's spans arrive by OTLP with its ids and parents, and the secret that it showed does not."""
    told = tracing.configure_tracing()
    failure, record = run_with_failure_detection(refund, "A-1")
    assert failure is not None

    assert tracing.flush(PATIENCE_S)
    root, search, pay = collector.spans()
    assert told.destinations == (f"OTLP {collector.url}/v1/traces",)
    assert {span.trace_id.hex() for span in (root, search, pay)} == {record.trace_id}
    assert [span.span_id.hex() for span in (search, pay)] == [one.step_id for one in record.steps]
    assert {span.parent_span_id for span in (search, pay)} == {root.span_id}
    assert attributes_of(root)["failtrace.failure_id"] == failure.failure_id
    assert root.status.message == failure.message
    assert attributes_of(pay.events[0])["exception.type"] == "ValueError"
    assert collector.service_names() == {"failtrace"}
    assert b"sk-live-" not in b"".join(body for _, _, body in collector.requests)
    assert tracing.status() == (tracing.DestinationStatus(told.destinations[0], 0, 3, 0, None),)


def test_the_exporter_reads_its_own_variables(monkeypatch: pytest.MonkeyPatch, collector: OtlpReceiver) -> None:
    """The endpoint for traces alone is taken as it is, and compression is OpenTelemetry's to decide."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"{collector.url}/v1/traces")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://elsewhere.invalid")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")

    tracing.configure_tracing()
    tracing.export(make_record())

    assert tracing.flush(PATIENCE_S)
    assert len(collector.spans()) == 2


def test_an_execution_arrives_at_azure_monitor(insights: BreezeReceiver) -> None:
    """The execution is a request, its steps are dependencies under it, its exception an exception."""
    told = tracing.configure_tracing()
    failure, record = run_with_failure_detection(refund, "A-1")
    assert failure is not None

    assert tracing.flush(PATIENCE_S)
    (request,) = insights.items("RequestData")
    steps = insights.items("RemoteDependencyData")
    exceptions = insights.items("ExceptionData")
    data = request["data"]["baseData"]
    assert told.destinations == (f"Azure Monitor {insights.url}",)
    assert (request["iKey"], request["tags"]["ai.operation.id"]) == (KEY, record.trace_id)
    assert (data["name"], data["success"]) == (record.subject.name, False)
    assert data["properties"]["failtrace.failure_id"] == failure.failure_id
    assert [one["data"]["baseData"]["id"] for one in steps] == [one.step_id for one in record.steps]
    assert {one["tags"]["ai.operation.parentId"] for one in steps} == {data["id"]}
    assert {one["data"]["baseData"]["exceptions"][0]["typeName"] for one in exceptions} == {"ValueError"}
    assert tracing.status()[0].exported == 3


class Credential:
    """A token for the project on loopback."""

    # Nobody but Microsoft Entra ID gives real tokens, and no test may ask it.
    def get_token(self, *scopes: str, **_: object) -> AccessToken:
        return AccessToken(f"token for {scopes[0]}", int(time.time()) + 3600)


def test_a_foundry_project_is_asked_for_its_resource(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The project's endpoint gives the connection string, in the background, and the spans go to that resource."""
    certificate = write_certificate(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with BreezeReceiver() as insights, FoundryReceiver(certificate, insights.connection_string) as project:
        monkeypatch.setenv("AZURE_AI_PROJECT_ENDPOINT", project.project)
        told = tracing.configure_tracing(credential=Credential())
        asked_before = project.asked.is_set()
        tracing.export(make_record(number=9))

        assert tracing.flush(PATIENCE_S)
        assert told.destinations == (f"Azure AI Foundry {project.project}",)
        assert not asked_before
        assert insights.items("RequestData")[0]["tags"]["ai.operation.id"] == f"{9:032x}"


def test_a_project_without_a_resource_is_an_error_to_be_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where the project has no Application Insights resource, status says so, and the records wait."""
    certificate = write_certificate(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with FoundryReceiver(certificate, None) as project:
        monkeypatch.setenv("FOUNDRY_PROJECT_ENDPOINT", project.project)
        tracing.configure_tracing(credential=Credential())
        tracing.export(make_record())
        assert until(lambda: tracing.status()[0].last_error is not None)

        assert not tracing.flush(0.0)
        (told,) = tracing.status()
        assert told.last_error == "ResourceNotFoundError: No Application Insights connection found."
        assert (told.waiting, told.exported, told.dropped) == (1, 0, 0)
        assert not tracing.shutdown(PATIENCE_S) or told.exported == 0


def test_both_destinations_get_everything(collector: OtlpReceiver, insights: BreezeReceiver) -> None:
    """With two destinations each gets every span, and one that hangs does not keep the other waiting."""
    collector.hangs = True
    tracing.configure_tracing()
    tracing.export(make_record())

    assert until(lambda: tracing.status()[1].exported == 2)
    assert tracing.status()[0].waiting == 1
    assert len(insights.items("RequestData")) == 1


def test_a_second_call_adds_nothing(collector: OtlpReceiver) -> None:
    """Configured twice, every span is sent once; what is new is added."""
    first = tracing.configure_tracing()
    again = tracing.configure_tracing()
    memory = InMemorySpanExporter()
    third = tracing.configure_tracing(exporters=[memory])
    tracing.export(make_record())

    assert tracing.flush(PATIENCE_S)
    assert first == again
    assert third.destinations == (*first.destinations, "InMemorySpanExporter")
    assert len(collector.spans()) == len(memory.get_finished_spans()) == 2


def until(holds: Callable[[], bool]) -> bool:
    """Wait for what another thread brings about; whether it came."""
    deadline = time.monotonic() + PATIENCE_S
    nothing = threading.Event()
    while not holds():
        if time.monotonic() > deadline:
            return False
        nothing.wait(0.005)
    return True


def test_a_collector_that_hangs_touches_nothing(collector: OtlpReceiver) -> None:
    """While a collector accepts and never answers, executions end as ever, and flush and shutdown keep their limits."""
    collector.hangs = True
    tracing.configure_tracing()
    began = time.monotonic()
    for _ in range(100):
        tracing.export(make_record())
    handed_over = time.monotonic() - began
    failure, record = run_with_failure_detection(refund, "A-1", isolation="inline")

    assert handed_over < 1.0
    assert failure is not None
    assert failure.message == "ValueError: no such order: A-1"
    assert [one.name for one in record.steps] == ["search", "pay"]
    assert collector.asked.wait(PATIENCE_S)
    assert timed(lambda: tracing.flush(0.2)) == (False, True)
    assert timed(lambda: tracing.shutdown(0.2)) == (False, True)
    assert tracing.status() == ()


def timed(call: Callable[[], bool]) -> tuple[bool, bool]:
    """What a call gave, and whether it took less than 2 s."""
    began = time.monotonic()
    return call(), time.monotonic() - began < 2.0


@pytest.mark.parametrize("code", [400, 500])
@pytest.mark.parametrize("receiver", ["collector", "insights"])
def test_what_is_not_taken_is_counted_and_logged_once(
    request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture, receiver: str, code: int
) -> None:
    """A receiver that answers with an error: the spans are counted as dropped, the reason is logged once, by us."""
    broken = request.getfixturevalue(receiver)
    broken.code = code
    tracing.configure_tracing()
    for _ in range(3):
        tracing.export(make_record())
        assert tracing.flush(PATIENCE_S)

    (told,) = tracing.status()
    assert (told.waiting, told.exported, told.dropped) == (0, 0, 6)
    assert told.last_error is not None
    lines = [line for line in caplog.records if line.levelname in ("WARNING", "ERROR")]
    assert [line.name for line in lines] == ["failtrace"]
    broken.code = 200
    tracing.export(make_record())
    assert tracing.flush(PATIENCE_S)
    assert tracing.status()[0].exported == 2


def test_a_refusing_port_costs_no_execution(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody listens, flush keeps its limit, and the error is there to be read."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    with refused_port() as nobody:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", nobody)
        tracing.configure_tracing()
        tracing.export(make_record())

        assert tracing.flush(PATIENCE_S)
        (told,) = tracing.status()
        assert (told.exported, told.dropped) == (0, 2)
        assert told.last_error is not None


class Gate(SpanExporter):
    """Takes nothing until it is opened; raises where it is told to."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.broken = False
        self.sizes: list[int] = []

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.opened.wait()
        if self.broken:
            raise RuntimeError("the gate is broken, password=hunter2hunter2")
        self.sizes.append(len(spans))
        return SpanExportResult.SUCCESS


def test_a_full_queue_drops_and_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind an exporter that does not answer, the queue is bounded by records, and what does not fit is counted."""
    monkeypatch.setattr(sender, "MAX_RECORDS", 3)
    gate = Gate()
    tracing.configure_tracing(exporters=[gate])
    tracing.export(make_record())
    assert until(lambda: not tracing._senders[0]._waiting)
    for _ in range(5):
        tracing.export(make_record())

    assert (tracing.status()[0].waiting, tracing.status()[0].dropped) == (4, 4)
    gate.opened.set()
    assert tracing.flush(PATIENCE_S)
    assert (tracing.status()[0].exported, tracing.status()[0].dropped) == (8, 4)


def test_a_queue_full_of_spans_drops_and_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The queue is bounded by spans too, so that large records cannot fill the memory."""
    monkeypatch.setattr(sender, "MAX_SPANS", 10)
    gate = Gate()
    tracing.configure_tracing(exporters=[gate])
    tracing.export(make_record())
    assert until(lambda: not tracing._senders[0]._waiting)
    tracing.export(make_record(steps=tuple(make_step(sequence=number) for number in range(7))))
    tracing.export(make_record(steps=tuple(make_step(sequence=number) for number in range(7))))

    assert tracing.status()[0].dropped == 8
    gate.opened.set()


def test_an_exporter_that_raises_is_asked_again(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever an exporter raises, the next spans go to it all the same; its words are redacted."""
    gate = Gate()
    gate.opened.set()
    gate.broken = True
    tracing.configure_tracing(exporters=[gate])
    tracing.export(make_record())
    assert tracing.flush(PATIENCE_S)
    gate.broken = False
    tracing.export(make_record())

    assert tracing.flush(PATIENCE_S)
    (told,) = tracing.status()
    assert (told.exported, told.dropped) == (2, 2)
    assert told.last_error is not None
    assert "RuntimeError: the gate is broken" in told.last_error
    assert "hunter2" not in told.last_error + caplog.text


def test_a_large_record_goes_in_bounded_requests() -> None:
    """30,000 steps are handed over at once, made into spans elsewhere, and sent in requests of 512."""
    record = make_record(steps=tuple(make_step(sequence=number) for number in range(30_000)))
    gate = Gate()
    gate.opened.set()
    tracing.configure_tracing(exporters=[gate])
    began = time.perf_counter()
    tracing.export(record)
    handed_over = time.perf_counter() - began

    assert tracing.flush(PATIENCE_S)
    assert handed_over < 0.01
    assert sum(gate.sizes) == 30_001
    assert max(gate.sizes) == 512


def test_long_texts_make_smaller_requests() -> None:
    """A request is bounded by its characters as well, and no span is lost over it."""
    long = make_step(attributes={f"text {number}": "x" * 30_000 for number in range(20)})
    gate = Gate()
    gate.opened.set()
    tracing.configure_tracing(exporters=[gate])
    tracing.export(make_record(steps=(long,) * 4))

    assert tracing.flush(PATIENCE_S)
    assert gate.sizes == [2, 1, 1, 1]


def test_without_configuration_nothing_happens() -> None:
    """Unconfigured, handing a record over is a look at an empty tuple: under a microsecond."""
    record = make_record()
    best = min(_cost_of_export(record) for _ in range(5))

    assert best < 1e-6
    assert tracing.flush()
    assert tracing.shutdown()
    assert tracing.status() == ()


def _cost_of_export(record: object) -> float:
    began = time.perf_counter()
    for _ in range(10_000):
        tracing.export(record)
    return (time.perf_counter() - began) / 10_000


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({}, "configure_tracing() found nowhere to send spans to; set OTEL_EXPORTER_OTLP_ENDPOINT, "),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, "configure_tracing() found nowhere"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"}, "OTEL_EXPORTER_OTLP_ENDPOINT is set to 'collector:4318',"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://"}, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is set to 'http://',"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x:99999"}, "which is no URL"),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            "OTEL_EXPORTER_OTLP_PROTOCOL is set to 'grpc', but failtrace sends http/protobuf only;",
        ),
        ({"APPLICATIONINSIGHTS_CONNECTION_STRING": "nonsense"}, "is not a list of name=value"),
        ({"APPLICATIONINSIGHTS_CONNECTION_STRING": "InstrumentationKey=secret"}, "has no InstrumentationKey"),
        (
            {"APPLICATIONINSIGHTS_CONNECTION_STRING": f"InstrumentationKey={KEY};IngestionEndpoint=nowhere"},
            "APPLICATIONINSIGHTS_CONNECTION_STRING has the IngestionEndpoint 'nowhere', which is no URL",
        ),
        ({"AZURE_AI_PROJECT_ENDPOINT": "shop"}, "AZURE_AI_PROJECT_ENDPOINT is set to 'shop', which is no URL"),
        ({"AZURE_AI_PROJECT_ENDPOINT": "http://shop.example/api"}, "answers https only"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_a_wrong_setting_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], sentence: str
) -> None:
    """Nothing configured, or something that cannot be used, is a SettingsError that names the variable."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError) as caught:
        tracing.configure_tracing()

    assert sentence in str(caught.value)
    assert "secret" not in str(caught.value)
    assert tracing.status() == ()


def run_script(code: str, **environment: str) -> str:
    """The output of a fresh interpreter that runs the code to its end, which comes within the limit of a test."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


# This installation has the extras; whether their modules are found is all that tells one without them.
WITHOUT = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.startswith({absent!r}):
            raise ModuleNotFoundError("No module named " + repr(name), name=name)
sys.meta_path.insert(0, Absent())
from failtrace.errors import SettingsError
from failtrace.tracing import configure_tracing
try:
    configure_tracing()
except SettingsError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("variable", "value", "absent", "extra"),
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1", "opentelemetry.exporter.otlp", "otlp"),
        ("APPLICATIONINSIGHTS_CONNECTION_STRING", f"InstrumentationKey={KEY}", "azure.monitor", "azure"),
        ("AZURE_AI_PROJECT_ENDPOINT", "https://127.0.0.1:1/api/projects/p", "azure.ai", "azure"),
    ],
    ids=["otlp", "azure-monitor", "foundry"],
)
def test_an_absent_extra_is_one_sentence_with_the_pip_line(variable: str, value: str, absent: str, extra: str) -> None:
    """Without the extra, the sentence names the variable, what is missing, and the line that installs it."""
    said = run_script(WITHOUT.format(absent=absent), **{variable: value})

    assert said.startswith(f"configure_tracing() cannot send to what {variable} names, because {absent}")
    assert said.endswith(f"is not installed; run: pip install 'failtrace[{extra}]'\n")


def test_the_import_loads_no_exporter() -> None:
    """`import failtrace.tracing` loads neither exporters nor Azure's libraries, `import failtrace` not even that."""
    code = """
import sys, failtrace
assert "failtrace.tracing" not in sys.modules
import failtrace.tracing
print([name for name in sys.modules if name.split(".")[0] in ("azure", "requests", "openai", "google")
       or name.startswith("opentelemetry.exporter")])
"""

    assert run_script(code) == "[]\n"


HANDS_OVER = """
from failtrace import tracing
from support.records import make_record
tracing.configure_tracing()
tracing.export(make_record(number=5))
"""


def test_the_end_of_a_program_sends_what_waits(collector: OtlpReceiver) -> None:
    """A program that ends at once has its spans sent before."""
    run_script(HANDS_OVER)

    assert {span.trace_id.hex() for span in collector.spans()} == {f"{5:032x}"}


def test_the_end_of_a_program_waits_a_few_seconds_at_most(collector: OtlpReceiver) -> None:
    """A collector that hangs keeps a program from ending for the limit, not for ever, and what is lost is said."""
    collector.hangs = True
    began = time.monotonic()
    said = run_script(HANDS_OVER + "import logging; logging.basicConfig()", OTEL_EXPORTER_OTLP_TIMEOUT="50")

    assert time.monotonic() - began < 5.0 + tracing.EXIT_LIMIT_S
    assert "the last 1 executions" in said


def test_a_forked_child_sends_for_itself(collector: OtlpReceiver) -> None:
    """After a fork, parent and child each send what was handed to them, once."""
    run_script(
        HANDS_OVER
        + """
import os
assert tracing.flush(30)
child = os.fork()
if not child:
    assert tracing.status()[0].exported == 0
    tracing.export(make_record(number=6))
    os._exit(0 if tracing.flush(30) else 1)
assert os.waitpid(child, 0)[1] == 0
tracing.export(make_record(number=7))
"""
    )

    assert sorted(span.trace_id.hex()[-1] for span in collector.spans()) == ["5", "5", "6", "6", "7", "7"]


def test_azures_exporter_speaks_to_its_endpoint_alone(insights: BreezeReceiver, tmp_path: Path) -> None:
    """Nothing but the ingestion endpoint is spoken to or looked up, by no other thread, and no file is left."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    said = run_script(
        """
import sys
def hear(event, arguments):
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        print("to", *arguments[1][:2])
    if event == "socket.getaddrinfo":
        print("to", *arguments[:2])
sys.addaudithook(hear)
"""
        + HANDS_OVER
        + """
import threading
assert tracing.flush(30)
print(sorted(thread.name for thread in threading.enumerate()))
""",
        TMPDIR=str(scratch),
    )

    assert set(said.splitlines()) == {f"to 127.0.0.1 {insights.server_port}", "['MainThread', 'failtrace-tracing']"}
    assert list(scratch.iterdir()) == []
    assert {item["name"].rpartition(".")[2] for _, _, body in insights.requests for item in _items(body)} <= {
        "Request",
        "RemoteDependency",
        "Exception",
        "Metric",
    }


def _items(body: bytes) -> list[dict[str, str]]:
    from span_receivers import _lines

    return _lines(body)


def test_the_page_names_what_is_read_and_its_limits() -> None:
    """docs/tracing.md names every variable that decides where spans go, and the limits as they are."""
    page = (Path(__file__).parents[2] / "docs" / "tracing.md").read_text("utf-8")
    variables = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_SERVICE_NAME"]

    assert [
        name
        for name in (*variables, destinations.CONNECTION_STRING, *destinations.PROJECT_ENDPOINTS)
        if f"`{name}`" not in page
    ] == []
    assert [f"{limit:,}" in page for limit in (sender.MAX_RECORDS, sender.MAX_SPANS, spans.MAX_TEXT)] == [True] * 3
    assert tracing.EXIT_LIMIT_S == 5.0
