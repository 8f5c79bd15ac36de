"""The server of the page: what it gives, and everything that it refuses."""

import json
import signal
import socket
import subprocess
from http.client import HTTPConnection
from threading import Thread
from urllib.parse import quote

import numpy as np
import pytest
from helpers.browser import Open
from helpers.terminal import process

import llmtrace
from llmtrace.errors import PromptError
from llmtrace.experiments import what_if
from llmtrace.render import page_server, page_service
from llmtrace.render.page_run import explanation_data
from llmtrace.render.page_server import PageServer
from llmtrace.render.page_service import Service

SENTENCE = "The king had a child, a girl."


@pytest.fixture(scope="module")
def model():
    return llmtrace.load()


@pytest.fixture(scope="module")
def server(model):
    yield from running(PageServer(Service(model.trace(SENTENCE), model)))


def running(server):
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def ask(server, path="", method="GET", body=None, token=None, **headers):
    """The status, the headers and the body of the answer. A header whose name has two words is given with _."""
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    if body is not None and "Content-Type" not in given:
        given["Content-Type"] = "application/json"
    connection.request(method, f"/{server.token if token is None else token}/{path}", body, given)
    response = connection.getresponse()
    found = response.status, response.headers, response.read()
    connection.close()
    return found


def run(server, **asked):
    status, _headers, body = ask(server, "run", "POST", json.dumps(asked))
    assert status == 200, body
    return json.loads(body)


# ---- what it gives ---------------------------------------------------------------------------------------------------


def test_the_page_may_ask_its_server_and_nobody_else(server):
    pages = [ask(server) for _ in range(2)]
    policies = [headers["Content-Security-Policy"] for _status, headers, _body in pages]
    for (status, headers, body), policy in zip(pages, policies, strict=True):
        assert status == 200
        nonce = policy.partition("script-src 'nonce-")[2].partition("'")[0]
        assert policy.split("; ") == [
            "default-src 'none'",
            f"script-src 'nonce-{nonce}'",
            f"style-src 'nonce-{nonce}'",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
        assert body.count(f'nonce="{nonce}"'.encode()) == 2
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "Access-Control-Allow-Origin" not in headers
    assert policies[0] != policies[1]


def test_tensors_by_name_and_range(server, model):
    record = run(server, text=SENTENCE)
    trace = model.trace(SENTENCE)
    for name in ("logits", "tokens", "block.1.attn.q.weight", "block.2.attn.pattern"):
        for start, count in ((0, trace.tensor(name).size), (1, 3), (trace.tensor(name).size, 0)):
            _status, _headers, body = ask(server, f"tensor?run={record['id']}&name={name}&start={start}&count={count}")
            kind = "<f4" if trace.tensor(name).dtype.kind == "f" else "<i4"
            expected = trace.tensor(name).reshape(-1)[start : start + count].astype(kind)
            assert body == expected.tobytes(), name


def test_explanations_by_address(server, model):
    record = run(server, text=SENTENCE)
    for address in ("logits[-1, 3]", "block.0.attn.pattern[1, 2, 1]", "ln_f[0, 0]", "ln_f.gain[3]", "tokens[1]"):
        status, _headers, body = ask(server, f"explanation?run={record['id']}&address={quote(address)}")
        assert status == 200
        assert json.loads(body) == explanation_data(model.trace(SENTENCE).explain(address))


def test_a_run_with_edits_has_the_bits_of_what_if(server, model):
    edits = [{"at": "head:2.1", "value": "0"}, {"at": "token:1", "token": 300}]
    record = run(server, ids=model.tokenizer.encode(SENTENCE), edits=edits)
    found = what_if(model.trace(SENTENCE), {"head:2.1": 0.0, "token:1": 300})
    _status, _headers, body = ask(server, f"tensor?run={record['id']}&name=logits")
    assert body == found.after.tensor("logits").tobytes()
    assert record["changes"]["logits"] == found.changes.count("logits") > 0


# ---- what it refuses -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["", "example.org", "127.0.0.1", "127.0.0.1:1", "localhost.example.org", "[::1]:80"])
def test_another_host_is_refused(server, host):
    assert ask(server, Host=host)[0] == 403
    assert ask(server, Host=f"localhost:{server.server_port}")[0] == 200


def test_two_hosts_are_refused(server):
    own = f"127.0.0.1:{server.server_port}"
    assert said(server, f"GET /{server.token}/ HTTP/1.1\r\nHost: {own}\r\nHost: {own}\r\n\r\n").startswith(
        b"HTTP/1.0 403"
    )
    assert said(server, f"GET /{server.token}/ HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.0 403")


def said(server, request):
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=20) as connection:
        connection.sendall(request.encode())
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize("origin", ["null", "http://example.org", "https://127.0.0.1", "http://127.0.0.1:1", ""])
def test_another_origin_is_refused(server, origin):
    for method, path, body in (("GET", "", None), ("POST", "run", '{"text": "The"}')):
        assert ask(server, path, method, body, Origin=origin)[0] == 403
        assert ask(server, path, method, body, Origin=f"http://127.0.0.1:{server.server_port}")[0] == 200


def test_what_another_page_starts_is_refused(server):
    for site in ("cross-site", "same-site", "?"):
        assert ask(server, Sec_Fetch_Site=site)[0] == 403


def test_without_the_token_there_is_nothing(server):
    for token in ("", "x", server.token[:-1], server.token + "x", server.token.swapcase(), "é", "../" + server.token):
        status, headers, body = ask(server, token=quote(token))
        assert (status, body) == (404, b""), token
        assert "llmtrace" not in str(headers).replace("Server: llmtrace", "")


@pytest.mark.parametrize(
    "path",
    ["x", "tensor/", "../", "..%2f..%2fetc/passwd", "%00", "run/run", "tensor/../run", "//etc/passwd", "index.html"],
)
def test_another_path_is_refused(server, path):
    assert ask(server, path)[0] == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "HEAD", "POST"])
def test_another_method_is_refused(server, method):
    status, headers, body = ask(server, "", method)
    assert (status, headers["Allow"], body) == (405, "GET", b"")
    assert ask(server, "run", "GET")[1]["Allow"] == "POST"
    assert ask(server, "", "BREW")[0] == 501


def test_a_huge_range_is_refused(server, monkeypatch):
    record = run(server, text=SENTENCE)
    size = 10 * 768
    base = f"tensor?run={record['id']}&name=logits"
    monkeypatch.setattr(page_service, "MOST_NUMBERS", 1000)
    for start, count in ((0, 1001), (size, 1), (size - 1, 2), (10**15, 0), (0, 10**15)):
        assert ask(server, f"{base}&start={start}&count={count}")[0] == 416, (start, count)
    assert ask(server, base)[0] == 416
    for wrong in ("-1", "x", "1e3", "9" * 40, "", "٣"):
        assert ask(server, f"{base}&start={quote(wrong)}&count=1")[0] == 400, wrong
        assert ask(server, f"{base}&start=0&count={quote(wrong)}")[0] == 400, wrong


def test_what_is_not_there_is_named(server):
    record = run(server, text=SENTENCE)
    for path in (
        "tensor?run={}&name=nobody",
        "explanation?run={}&address=nobody[1]",
        "explanation?run={}&address=logits[99,0]",
    ):
        status, _headers, body = ask(server, path.format(record["id"]))
        assert status == 404
        assert body
    for gone in ("", "0", "999", "x" * 100):
        assert ask(server, f"tensor?run={gone}&name=logits")[0] == 410


BODIES = {
    "": 400,
    "[": 400,
    "[" * 100_000: 400,
    "[]": 400,
    "1": 400,
    '{"ids": ["1"]}': 400,
    '{"ids": [99999]}': 422,
    '{"ids": [-1]}': 422,
    '{"ids": [1], "edits": [{}]}': 422,
    '{"ids": [1], "edits": 3}': 422,
    '{"ids": [1], "edits": [{"at": "nothing[0]", "value": "0"}]}': 422,
    '{"text": "' + "x" * 5000 + '"}': 422,
    '{"text": "\\ud800"}': 422,
}


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_a_wrong_request_is_refused(server, body):
    assert ask(server, "run", "POST", body)[0] == BODIES[body]


def test_what_is_too_long_is_refused(server):
    assert ask(server, "tensor?name=" + "x" * 5000)[0] == 414
    assert ask(server, "run", "POST", "{}", Content_Type="text/plain")[0] == 415
    own = f"POST /{server.token}/run HTTP/1.0\r\nHost: 127.0.0.1:{server.server_port}\r\nContent-Type: application/json\r\n"
    for length, status in (("1000001", 413), ("9" * 30, 413), ("-1", 411), ("x", 411)):
        assert said(server, f"{own}Content-Length: {length}\r\n\r\n").startswith(f"HTTP/1.0 {status}".encode())
    assert said(server, f"{own}\r\n").startswith(b"HTTP/1.0 411")
    assert said(server, "GET / HTTP/1.0\r\n" + "A: b\r\n" * 200 + "\r\n").startswith(b"HTTP/1.0 431")
    assert said(server, "\0\0\0\r\n\r\n") == b""  # of what is no HTTP, nobody expects a status
    assert ask(server)[0] == 200


def test_a_body_of_the_largest_size_is_read(server, monkeypatch):
    monkeypatch.setattr(page_server, "LARGEST_BODY", 50)
    for size, status in ((49, 200), (50, 200), (51, 413)):
        assert ask(server, "run", "POST", '{"text": "The"'.ljust(size - 1) + "}")[0] == status


def test_who_asks_about_an_answer_gets_no_body(server):
    for host, status in (("example.org", 403), (f"127.0.0.1:{server.server_port}", 405)):
        answer = said(server, f"HEAD /{server.token}/ HTTP/1.0\r\nHost: {host}\r\n\r\n")
        assert answer.startswith(f"HTTP/1.0 {status}".encode())
        assert answer.endswith(b"\r\n\r\n")


def test_too_many_at_once_are_refused_and_room_comes_back(model, monkeypatch):
    monkeypatch.setattr(page_server, "MOST_AT_ONCE", 3)
    monkeypatch.setattr(page_server.Handler, "timeout", 20)
    for server in running(PageServer(Service(model.trace(SENTENCE), model))):
        silent = [socket.create_connection(("127.0.0.1", server.server_port), timeout=20) for _ in range(3)]
        statuses = [ask(server)[0] for _ in range(3)]
        assert statuses == [503] * 3
        for connection in silent:
            connection.close()
        assert 200 in (ask(server)[0] for _ in range(200))


def test_who_says_nothing_is_not_waited_for(server, monkeypatch):
    monkeypatch.setattr(page_server.Handler, "timeout", 0.05)
    assert said(server, f"GET /{server.token}/ HT") == b""


def test_only_this_machine(server):
    assert server.socket.getsockname()[0] == "127.0.0.1"
    assert len(server.token) >= 32
    assert PageServer.daemon_threads


def test_old_runs_are_forgotten(server, monkeypatch):
    first = run(server, text="The")
    for _ in range(page_service.MOST_RUNS):
        run(server, text="The king")
    assert ask(server, f"tensor?run={first['id']}&name=logits")[0] == 410


def test_a_run_that_is_looked_at_is_not_forgotten(server):
    first = run(server, text="The")
    for _ in range(2 * page_service.MOST_RUNS):
        run(server, text="The king")
        assert ask(server, f"tensor?run={first['id']}&name=logits&count=1")[0] == 200


def test_each_run_has_numbers_of_its_own(server, model):
    runs = {text: run(server, text=text)["id"] for text in ("The king", "The girl")}
    for text, identity in [*runs.items()] * 2:
        _status, _headers, body = ask(server, f"tensor?run={identity}&name=logits")
        assert body == model.trace(text).tensor("logits").tobytes()


def test_a_trace_alone_runs_nothing(model, tmp_path):
    model.trace(SENTENCE).save(tmp_path / "x.trace", with_weights=True)
    for server in running(PageServer(Service(llmtrace.open(tmp_path / "x.trace")))):
        assert ask(server)[0] == 200
        assert ask(server, "run", "POST", '{"text": "The"}')[0] == 404
    with pytest.raises(PromptError):
        Service(model.trace([[1, 2], [3, 4]]))


# ---- the program -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly(number):
    program = process("serve", "--lang", "en", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    line = program.stdout.readline()
    assert line.startswith("Open http://127.0.0.1:")
    with socket.create_connection(("127.0.0.1", int(line.split(":")[2].partition("/")[0])), timeout=20):
        program.send_signal(number)  # with somebody still connected
        rest, errors = program.communicate(timeout=20)
    assert (program.returncode, rest, errors) == (0, "The server has ended.\n", "")


# ---- in a browser ----------------------------------------------------------------------------------------------------


def test_in_a_browser(chromium, server, model):
    shown = Open(chromium, server.url).ready()
    assert "storyteller reads 10 tokens" in shown.text
    for address in ("logits[-1, 3]", "block.1.attn.pattern[2, 5, 3]", "block.0.ln_1[3, 5]", "embed.token[0, 1]"):
        shown.go(address)
        explanation = model.trace(SENTENCE).explain(address)
        heading(shown, explanation.address)
        assert explanation.sentence in shown.text
        assert "✓ same bits" in shown.text, address
        assert np.float32(shown.page.inner_text(".value").split()[0]) == explanation.value
    shown.go("sentence")
    shown.page.fill("textarea", "The girl")
    shown.page.get_by_role("button", name="Run the model").click()
    heading(shown, "storyteller reads 2 tokens")
    shown.go("next")
    shown.page.keyboard.press("Space")
    shown.page.wait_for_selector("mark")
    assert shown.page.inner_text("mark") == model.token_text(next(model.generate("The girl", 1)).id)
    shown.go("block.2.attn.pattern[head=1]")
    shown.page.get_by_role("button", name="Switch this head off").click()
    shown.page.wait_for_function("() => document.body.innerText.includes('This head is switched off.')")
    shown.go("what-if")
    recipe = json.loads(shown.page.input_value("textarea"))
    changes = what_if(model.trace(recipe["ids"]), {"head:2.1": 0.0}).changes
    count = changes.count("logits")
    assert f"{count:,}" in shown.page.locator("tr", has_text="logits").last.inner_text()
    shown.page.keyboard.press("u")
    shown.page.wait_for_function("() => document.body.innerText.includes('Nothing is changed yet.')")
    shown.go("sentence")
    shown.page.fill("textarea", "x" * 300)
    assert shown.said == []
    assert all(url.startswith(server.url) for url in shown.asked)
    shown.close()


def heading(shown, text):
    shown.page.wait_for_function("text => document.querySelector('h1')?.textContent === text", arg=text)
