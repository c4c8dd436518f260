"""Who gets in, what they may do, and what is refused."""

from __future__ import annotations

import re
import threading
from datetime import timedelta

import pytest

pytest.importorskip("fastapi", reason="needs the extra `studio`")

from fastapi.testclient import TestClient
from hemline.studio.access.people import invite, log_in, visitor
from hemline.studio.access.rates import Rate
from hemline.studio.database.tables import Account, AuditEntry, LedgerEntry, Visit, now
from hemline.studio.server import create_app
from hemline.studio.settings import StudioSettings
from hemline.studio.studio import Studio
from sqlalchemy import select, text, update
from sqlalchemy.exc import DatabaseError

from .rooms import Browser, opened

SECRET = "a secret of enough letters"
SAYS = {"X-Studio-User": "Pia", "X-Studio-Role": "editor", "X-Studio-Secret": SECRET}
PAGES = ["/labels", "/labels/task?run=colours&task=colour", "/labels/photos?run=colours&task=colour", "/jobs"]
RETAG = "/labels/retag?run=colours&task=colour"
CHANGES = [RETAG, "/labels/undo?run=colours&task=colour", "/labels/retrain", "/labels/judge", "/jobs/stop"]


@pytest.mark.parametrize("address", [*PAGES, "/photo?item=i0", "/labels/export/ledger.csv", "/people"])
def test_nobody_sees_a_page_without_logging_in(studio, address):
    answer = TestClient(create_app(studio), base_url="http://localhost").get(address, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login?next=")


def test_every_page_asks_who_is_there(studio):
    app = create_app(studio)
    for route in app.routes:
        address = getattr(route, "path", "")
        if address.startswith(("/login", "/static")):
            continue
        for method in getattr(route, "methods", ()):
            answer = TestClient(app, base_url="http://localhost").request(
                method, address.replace("{name}", "x"), follow_redirects=False
            )
            assert answer.status_code in (303, 401), (method, address)


def test_a_viewer_reads_and_changes_nothing(studio, browse):
    browser = browse("Vera", "viewer")
    for address in PAGES:
        assert browser.get(address).status_code == 200
    for address in CHANGES:
        answer = browser.submit(address, chosen='["i0", 0]', to="red", run="colours", entry=1, number=1)
        assert answer.status_code == 403
        assert "expected an editor" in answer.text
    assert browser.get("/people").status_code == 403
    with studio.database.reading() as session:
        assert session.scalars(select(LedgerEntry)).all() == []
    assert 'id="retag"' not in browser.get(PAGES[2]).text


def test_an_editor_lets_nobody_in(studio, browse):
    browser = browse("Ed", "editor")
    assert browser.submit("/people/invite", name="Eve", role="admin").status_code == 403
    with studio.database.reading() as session:
        assert [account.name for account in session.scalars(select(Account))] == ["Ed"]


def test_an_admin_lets_in_and_out_and_it_is_noted(studio, browse):
    admin = browse("Ada", "admin")
    page = admin.submit("/people/invite", name="Eve", role="viewer", days=1).text
    token = re.search(r'class="token">([^<]+)<', page)[1]
    with studio.database.writing() as session:
        cookie, name = log_in(session, token, 1)
    assert name == "Eve"
    assert admin.submit("/people/invite", name="Ada", role="viewer").status_code == 400
    admin.submit("/people/out", name="Eve")
    with studio.database.writing() as session:
        assert visitor(session, cookie) is None
        assert log_in(session, token, 1) is None
        noted = [(line.who, line.action) for line in session.scalars(select(AuditEntry))]
    assert ("Ada", "invite") in noted
    assert ("Ada", "shut out") in noted


def test_a_wrong_token_is_refused_and_noted(studio):
    browser = TestClient(create_app(studio), base_url="http://localhost")
    assert browser.post("/login", data={"token": "guess"}).status_code == 401
    with studio.database.reading() as session:
        assert [line.action for line in session.scalars(select(AuditEntry))] == ["login refused"]


def test_tries_to_log_in_are_few_a_minute(studio):
    browser = TestClient(create_app(studio), base_url="http://localhost")
    answers = [browser.post("/login", data={"token": "guess"}).status_code for _ in range(12)]
    assert answers == [401] * 10 + [429] * 2


@pytest.mark.parametrize("kind", [Account, Visit])
def test_what_has_expired_opens_nothing(studio, browse, kind):
    browser = browse()
    assert browser.get("/labels").status_code == 200
    with studio.database.writing() as session:
        session.execute(update(kind).values(expires=now() - timedelta(seconds=1)))
    assert browser.get("/labels", follow_redirects=False).status_code == 303
    assert browser.post(RETAG, data={"chosen": '["i0", 0]', "to": "red"}).status_code == 401


def test_tokens_and_cookies_are_not_in_the_database(studio):
    with studio.database.writing() as session:
        token = invite(session, "Ann", "editor")
        cookie, _ = log_in(session, token, 1)
    content = b"".join(path.read_bytes() for path in studio.settings.folder.glob("studio.db*"))
    assert b"Ann" in content
    assert token.encode() not in content
    assert cookie.encode() not in content


@pytest.mark.parametrize("secret", [None, "", "guess"])
def test_a_change_without_the_secret_of_the_visit_is_refused(studio, browse, secret):
    browser = browse()
    fields = {"chosen": '["i0", 0]', "to": "red"} | ({} if secret is None else {"csrf": secret})
    assert browser.post(RETAG, data=fields).status_code == 403
    assert studio.opened.standing.changed == {}


def test_a_change_from_the_page_of_another_site_is_refused(studio, browse):
    browser = browse()
    fields = {"csrf": browser.secret(), "chosen": '["i0", 0]', "to": "red"}
    for address in (RETAG, "/login"):
        assert browser.post(address, data=fields | {"token": "x"}, headers={"Origin": "http://evil"}).status_code == 403
    assert studio.opened.standing.changed == {}


def test_another_host_name_is_refused(studio):
    app = create_app(studio)
    for name in ("evil.example", "localhost.evil.example", ""):
        answer = TestClient(app, base_url="http://localhost").get("/login", headers={"Host": name})
        assert answer.status_code == 400
    for name in ("localhost", "127.0.0.1:8765", "[::1]:8765", "[::1]"):
        assert TestClient(app, base_url="http://localhost").get("/login", headers={"Host": name}).status_code == 200


@pytest.mark.parametrize("told", [True, False])
def test_a_form_that_is_too_large_is_refused(studio, browse, told):
    browser = browse()
    body = b"why=" + b"x" * 2**20
    content = body if told else (body[start : start + 65536] for start in range(0, len(body), 65536))
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert browser.post(RETAG, content=content, headers=kind).status_code == 413
    assert studio.opened.standing.changed == {}


@pytest.mark.parametrize(
    "address",
    [
        "/static/../server.py",
        "/static/%2e%2e/server.py",
        "/static/..%2f..%2fcli.py",
        "/photo?item=../../etc/passwd",
        "/photo?item=i0&number=9",
        "/photo?item=i0&number=-1",
        "/photo?item=i0&size=../x",
        "/labels/export/..%2fstudio.db",
        "/labels/export/studio.db",
    ],
)
def test_nothing_is_served_but_what_belongs_to_the_studio(browse, address):
    answer = browse().get(address)
    assert answer.status_code == 404
    assert "FastAPI" not in answer.text


@pytest.mark.parametrize(
    "address",
    [
        "/labels/photos?run=../x&task=colour",
        "/labels/photos?run=colours&task=no",
        "/labels/photos?run=colours&task=colour&kind=no",
        "/labels/photos?run=colours&task=colour&order=no",
        "/labels/photos?run=colours&task=colour&where=no",
        "/labels/article?run=colours&task=colour&item=no",
    ],
)
def test_what_is_not_there_is_said_in_a_line(browse, address):
    answer = browse().get(address)
    assert answer.status_code == 400
    assert re.search(r'role="alert">[a-z]+: expected ', answer.text)


@pytest.mark.parametrize("chosen", ["", "i0", '["i0"]', '["i0", -1]', '["i0", "1"]', '[["i0"], 0]', '["no", 0]'])
def test_a_change_of_what_is_no_article_is_refused(studio, browse, chosen):
    assert browse().submit(RETAG, chosen=chosen, to="red").status_code in (400, 422)
    assert studio.opened.standing.changed == {}


@pytest.mark.parametrize("label", ["a|b", "a\nb", "x" * 201, " "])
def test_a_label_that_no_table_could_hold_is_refused(studio, browse, label):
    assert browse().submit(RETAG, chosen='["i0", 0]', to=label).status_code == 400
    assert studio.opened.standing.changed == {}


def test_pages_carry_the_policy_and_no_script_of_their_own(browse):
    browser = browse("Ada", "admin")
    for address in [*PAGES, "/people", "/nowhere", "/login"]:
        answer = browser.get(address)
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert not re.search(r"<script(?! src=)|<style|\sstyle=|\son\w+=|javascript:", answer.text)


def test_the_cookie_is_kept_from_scripts(studio):
    with studio.database.writing() as session:
        token = invite(session, "Ann", "editor")
    answer = TestClient(create_app(studio), base_url="http://localhost").post(
        "/login", data={"token": token}, follow_redirects=False
    )
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert "SameSite=lax" in answer.headers["set-cookie"]


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_nobody_is_sent_to_another_site_after_the_login(studio, target):
    with studio.database.writing() as session:
        token = invite(session, "Ann", "editor")
    browser = TestClient(create_app(studio), base_url="http://localhost")
    answer = browser.post("/login", data={"token": token, "next": target}, follow_redirects=False)
    assert answer.headers["location"] == "/"


class TestProxy:
    """A proxy that says who asks."""

    @pytest.fixture
    def behind(self, shop, trained, tmp_path):
        settings = StudioSettings(tmp_path / "studio", proxies=("10.0.0.7",), proxy_secret=SECRET)
        studio = opened(shop, trained, settings)
        yield studio
        studio.close()

    def ask(self, studio: Studio, address: str, headers: dict[str, str]) -> int:
        browser = Browser(create_app(studio), base_url="http://localhost", client=(address, 1))
        answer = browser.get("/labels", headers=headers, follow_redirects=False)
        return answer.status_code

    def test_is_believed_at_its_address_with_its_secret(self, behind):
        assert self.ask(behind, "10.0.0.7", SAYS) == 200

    @pytest.mark.parametrize(
        "wrong", [{"X-Studio-Secret": "guess"}, {"X-Studio-Secret": ""}, {"X-Studio-Role": "king"}]
    )
    def test_is_not_believed_without(self, behind, wrong):
        assert self.ask(behind, "10.0.0.7", SAYS | wrong) == 303

    def test_is_not_believed_elsewhere(self, behind):
        assert self.ask(behind, "10.0.0.8", SAYS) == 303
        assert self.ask(behind, "10.0.0.8", SAYS | {"X-Forwarded-For": "10.0.0.7"}) == 303

    def test_its_people_need_the_secret_of_their_forms_too(self, behind):
        browser = Browser(create_app(behind), base_url="http://localhost", client=("10.0.0.7", 1), headers=SAYS)
        fields = {"chosen": '["i0", 0]', "to": "red"}
        assert browser.post(RETAG, data=fields).status_code == 403
        assert browser.submit(RETAG, **fields).status_code == 200
        assert behind.opened.standing.changed["colour"]["i0"] == (1, ("red",))

    def test_is_not_believed_by_a_studio_without_one(self, studio):
        assert self.ask(studio, "10.0.0.7", SAYS) == 303

    def test_needs_a_secret(self, tmp_path):
        with pytest.raises(ValueError, match="proxy_secret: expected at least 16 characters"):
            StudioSettings(tmp_path, proxies=("10.0.0.7",))


@pytest.mark.parametrize("table", ["ledger", "audit"])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "UPDATE {} SET who = 'x'"])
def test_rows_that_are_kept_cannot_be_changed(studio, browse, table, statement):
    browse().submit(RETAG, chosen='["i0", 0]', to="red")
    with pytest.raises(DatabaseError, match="only ever added"), studio.database.writing() as session:
        session.execute(text(statement.format(table)))


def test_a_rate_lets_so_many_through_and_refills(monkeypatch):
    moment = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: moment[0])
    rate = Rate(60)
    assert sum(rate.allows("a") for _ in range(100)) == 60
    assert rate.allows("b")
    moment[0] = 2.0
    assert sum(rate.allows("a") for _ in range(100)) == 2


def test_many_editors_at_once_lose_nothing(studio, browse):
    browsers = [browse(f"e{number}") for number in range(4)]
    secrets = [browser.secret() for browser in browsers]
    told: list[tuple[str, int]] = []

    def work(number: int) -> None:
        for item in range(20):
            fields = {"csrf": secrets[number], "chosen": f'["i{item}", 0]', "to": f"label-{number}", "new": "yes"}
            answer = browsers[number].post(RETAG, data=fields, headers={"HX-Request": "true"})
            assert answer.status_code == 200
            if "1 photo changed" in answer.text:
                told.append((f"i{item}", number))

    workers = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    standing = studio.opened.standing.changed["colour"]
    assert len(told) == 20, "of those who saw the same version one alone"
    assert {item: int(labels[0][-1]) for item, (_, labels) in standing.items()} == dict(told)
