"""connect, disconnect and doctor on a real Label Studio."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import jwt
import pytest

from ml_backend.demo.ports import free_port
from ml_backend.errors import ConfigError, LabelStudioAuthError, LabelStudioError
from ml_backend.label_studio import wanted
from ml_backend.label_studio.api import LabelStudioApi
from ml_backend.label_studio.changes import Change
from ml_backend.label_studio.client import LabelStudioClient
from ml_backend.label_studio.connect import connect
from ml_backend.label_studio.connections import Connections
from ml_backend.label_studio.disconnect import disconnect
from ml_backend.label_studio.doctor import diagnose
from ml_backend.label_studio.findings import Severity
from ml_backend.label_studio.sheet_link import link_of
from ml_backend.label_studio.tokens import TokenKind
from ml_backend.store import projects
from ml_backend.store.tables import Project
from tests.label_studio.live import LiveLabelStudio, LiveLantern, running_lantern

pytestmark = pytest.mark.e2e


def attach(lantern: LiveLantern, project: int, **options: Any) -> list[Change]:
    return connect(lantern.db, lantern.settings, project=project, **options)


def row(lantern: LiveLantern, project: int) -> Project:
    with lantern.db.read() as session:
        found = projects.by_label_studio_id(session, project)
    assert found is not None
    return found


def own_webhooks(label_studio: LiveLabelStudio, lantern: LiveLantern, project: int) -> list[dict[str, Any]]:
    target = f"{wanted.public_url(lantern.settings)}/webhook"
    return [h for h in label_studio.api().webhooks(project) if wanted.same_address(h["url"], target)]


def snapshot(label_studio: LiveLabelStudio, project: int) -> dict[str, Any]:
    api = label_studio.api()
    found = api.project(project)
    return {
        **{name: found[name] for name in ("sampling", "show_collab_predictions", "model_version")},
        "backends": [(b["url"], b["title"], b["auth_method"]) for b in api.backends(project)],
        "webhooks": [(h["url"], h["headers"], h["is_active"]) for h in api.webhooks(project)],
        "tabs": [v["data"].get("title") for v in api.views(project)],
    }


def test_connect_then_again_then_disconnect(label_studio: LiveLabelStudio, lantern: LiveLantern) -> None:
    project = label_studio.make_project("connect", show_collab_predictions=False)
    before = snapshot(label_studio, project)
    assert any(change.changed for change in attach(lantern, project))
    there = snapshot(label_studio, project)
    assert there["sampling"] == "Uncertainty sampling"
    assert there["show_collab_predictions"]
    assert there["tabs"] == ["Label next"]
    [(_, headers, active)] = there["webhooks"]
    assert headers == {"X-Lantern-Secret": "a-secret-123"}
    assert active
    assert not any(change.changed for change in attach(lantern, project)), "the second time changes nothing"
    assert snapshot(label_studio, project) == there
    api = Connections(lantern.settings).api(row(lantern, project))
    assert api is not None
    disconnect(lantern.db, lantern.settings, api, project)
    assert snapshot(label_studio, project) == before
    assert "is not connected" in findings(lantern, project)
    assert not Connections(lantern.settings).usable(row(lantern, project)), "a disconnected project is left alone"
    with pytest.raises(ConfigError):
        disconnect(lantern.db, lantern.settings, api, project)


def test_the_automatic_webhook_gets_the_secret_and_duplicates_go(
    label_studio: LiveLabelStudio, lantern: LiveLantern
) -> None:
    """As when somebody attached the backend by hand, twice, and deleted it once: its webhook stays."""
    project, api = label_studio.make_project("by hand"), label_studio.api()
    address = wanted.public_url(lantern.settings)
    fields = wanted.backend_fields(lantern.settings, project, address, None)
    backend = api.create_backend({**fields, "title": "By hand"})
    api.create_webhook({"project": project, "url": f"{address}/webhook/", "send_for_all_actions": True})
    before = snapshot(label_studio, project)
    assert [headers for _, headers, _ in before["webhooks"]] == [{}, {}]
    attach(lantern, project)
    assert [hook["headers"] for hook in own_webhooks(label_studio, lantern, project)] == [
        lantern.settings.webhook_headers()
    ]
    assert [b["id"] for b in api.backends(project)] == [backend["id"]], "repaired, not doubled"
    disconnect(lantern.db, lantern.settings, api, project)
    after = snapshot(label_studio, project)
    assert after["backends"] == before["backends"]
    assert after["webhooks"] == before["webhooks"][:1]


def test_a_backend_that_moved_is_repaired(label_studio: LiveLabelStudio, lantern: LiveLantern) -> None:
    project = label_studio.make_project("moved")
    attach(lantern, project)
    attach(lantern, project, backend_url=f"http://127.0.0.1:{lantern.settings.port}")
    [(url, _, _)] = snapshot(label_studio, project)["backends"]
    [(hook, _, _)] = snapshot(label_studio, project)["webhooks"]
    assert url == f"http://127.0.0.1:{lantern.settings.port}"
    assert hook == f"{url}/webhook"


def test_what_connect_was_told_is_remembered(label_studio: LiveLabelStudio, lantern: LiveLantern) -> None:
    bare = replace(lantern.settings, label_studio_url=None, label_studio_api_key=None, public_url=None, port=1)
    project, address = label_studio.make_project("told"), f"http://127.0.0.1:{lantern.settings.port}"
    token = label_studio.personal_token
    told = connect(lantern.db, bare, project=project, url=label_studio.url, token=token, backend_url=address)
    assert [change.changed for change in told if change.what == "webhook"] == [True]
    assert not any(change.changed for change in connect(lantern.db, bare, project=project))
    found = diagnose(lantern.db, bare, project=project)
    assert [finding for finding in found if finding.severity is not Severity.OK] == []
    [(url, _, _)] = snapshot(label_studio, project)["backends"]
    assert url == address
    with pytest.raises(LabelStudioError):
        connect(lantern.db, bare, project=project, backend_url="http://localhost:1")
    assert not any(change.changed for change in connect(lantern.db, bare, project=project)), "only what worked is kept"


def test_another_lanterns_address_is_refused_and_nothing_is_forgotten(
    label_studio: LiveLabelStudio, lantern: LiveLantern, tmp_path: Path
) -> None:
    bare = replace(lantern.settings, label_studio_url=None, label_studio_api_key=None, public_url=None, port=1)
    project, address = label_studio.make_project("two"), f"http://127.0.0.1:{lantern.settings.port}"
    given: dict[str, Any] = {"url": label_studio.url, "token": label_studio.personal_token}
    with running_lantern(tmp_path / "other", label_studio) as other:
        wrong = f"http://127.0.0.1:{other.settings.port}"
        with pytest.raises(ConfigError, match="another folder"):
            connect(lantern.db, bare, project=project, backend_url=wrong, **given)
        assert not Connections(bare).usable(row(lantern, project)), "it was not connected before"
        assert "token" not in row(lantern, project).connection
        connect(lantern.db, bare, project=project, backend_url=address, **given)
        kept, there = row(lantern, project).connection, snapshot(label_studio, project)
        with pytest.raises(ConfigError, match="another folder"):
            connect(lantern.db, bare, project=project, backend_url=wrong)
        assert row(lantern, project).connection == kept
        assert snapshot(label_studio, project) == there
    assert not any(change.changed for change in connect(lantern.db, bare, project=project))


def test_what_cannot_be_an_encoder_is_refused_at_once(label_studio: LiveLabelStudio, lantern: LiveLantern) -> None:
    project = label_studio.make_project("encoder")
    with pytest.raises(ConfigError, match="magic"):
        attach(lantern, project, extra_params={"encoder": "magic"})
    assert label_studio.api().backends(project) == []


def test_an_encoder_is_set_beside_what_a_person_has_set(label_studio: LiveLabelStudio, lantern: LiveLantern) -> None:
    api, project = label_studio.api(), label_studio.make_project("beside")
    attach(lantern, project, extra_params={"field": "text"})
    [backend] = api.backends(project)
    more = {**backend["extra_params"], "epochs": 2}
    api.update_backend(backend["id"], wanted.backend_fields(lantern.settings, project, backend["url"], more))
    attach(lantern, project, extra_params={"encoder": "text"})
    assert api.backends(project)[0]["extra_params"] == {"field": "text", "epochs": 2, "encoder": "text"}


def test_lanterns_own_drawing_project_is_not_connected(label_studio: LiveLabelStudio, lantern: LiveLantern) -> None:
    project = label_studio.make_project("drawn")
    attach(lantern, project, on_map=True)
    link = link_of(row(lantern, project))
    assert link is not None
    with pytest.raises(ConfigError, match=f"map of project {project}"):
        attach(lantern, link.project)


@pytest.mark.parametrize("kind", list(TokenKind))
def test_both_kinds_of_token_connect(label_studio: LiveLabelStudio, lantern: LiveLantern, kind: TokenKind) -> None:
    token = label_studio.personal_token if kind is TokenKind.PERSONAL else label_studio.legacy_token
    bare = replace(lantern.settings, label_studio_url=None, label_studio_api_key=None)
    project = label_studio.make_project("token")
    connect(lantern.db, bare, project=project, url=label_studio.url, token=token)
    api = Connections(bare).api(row(lantern, project))
    assert api is not None, "address and token are kept for the worker"
    assert api.client.token_kind is kind
    assert api.project(project)["sampling"] == "Uncertainty sampling"


def test_a_bearer_that_label_studio_refuses_is_renewed(label_studio: LiveLabelStudio) -> None:
    client = LabelStudioClient(label_studio.url, label_studio.personal_token)
    forged = jwt.encode({"token_type": "access", "exp": 4_000_000_000}, "k" * 32, algorithm="HS256")
    client._token._sdk_tokens._set_access_token(forged)
    assert LabelStudioApi(client).whoami()["email"]


def test_wrong_tokens_are_refused_in_words(label_studio: LiveLabelStudio) -> None:
    for token in ("f" * 40, label_studio.personal_token[:-4] + "AAAA"):
        with pytest.raises(LabelStudioAuthError):
            LabelStudioApi(LabelStudioClient(label_studio.url, token)).whoami()


@pytest.mark.parametrize(
    ("backend_url", "says"),
    [("http://localhost:1", "lantern serve"), ("http://no-such-host.invalid:9090", "cannot resolve the host name")],
)
def test_an_address_that_label_studio_does_not_reach(
    label_studio: LiveLabelStudio, lantern: LiveLantern, backend_url: str, says: str
) -> None:
    project = label_studio.make_project("unreachable")
    with pytest.raises(LabelStudioError, match=says):
        attach(lantern, project, backend_url=backend_url)
    assert not Connections(lantern.settings).usable(row(lantern, project)), "nor is it worked on behind its back"


def test_a_connection_that_breaks_later_is_not_forgotten(label_studio: LiveLabelStudio, lantern: LiveLantern) -> None:
    project = label_studio.make_project("broken later")
    attach(lantern, project)
    with pytest.raises(LabelStudioError, match="lantern serve"):
        attach(lantern, project, backend_url="http://localhost:1")
    assert Connections(lantern.settings).usable(row(lantern, project))


def test_the_map_stands_at_the_address_that_was_given(label_studio: LiveLabelStudio, lantern: LiveLantern) -> None:
    project, address = label_studio.make_project("elsewhere"), f"http://127.0.0.1:{lantern.settings.port}"
    assert not lantern.settings.browser_url
    attach(lantern, project, backend_url=address, beside=True)
    assert f"{address}/map/" in str(label_studio.api().project(project)["label_config"])


def test_a_project_that_is_not_there_is_named(lantern: LiveLantern) -> None:
    with pytest.raises(LabelStudioError, match="there is no project 987654"):
        attach(lantern, 987_654)


def test_connecting_says_when_nothing_can_be_predicted(label_studio: LiveLabelStudio, lantern: LiveLantern) -> None:
    project = label_studio.make_project("essays")
    config = '<View><Text name="text" value="$text"/><TextArea name="essay" toName="text"/></View>'
    label_studio.api().update_project(project, {"label_config": config})
    [said] = [change.detail for change in attach(lantern, project) if change.what == "predictions"]
    assert "asks nothing that Lantern predicts" in said


def test_other_credentials_than_the_servers(
    label_studio: LiveLabelStudio, lantern: LiveLantern, tmp_path: Path
) -> None:
    project = label_studio.make_project("credentials")
    other = replace(lantern.settings, basic_auth_pass="another-password")
    with pytest.raises(LabelStudioError, match="BASIC_AUTH_PASS"):
        connect(lantern.db, other, project=project)


def findings(lantern: LiveLantern, project: int, **options: Any) -> str:
    """What the doctor finds wrong, as one text."""
    found = diagnose(lantern.db, lantern.settings, project=project, **options)
    return "\n".join(f"{f.what} | {f.why} | {f.mend}" for f in found if f.severity is not Severity.OK)


def test_the_doctor_finds_nothing_in_a_healthy_project(label_studio: LiveLabelStudio, lantern: LiveLantern) -> None:
    project = label_studio.make_project("healthy")
    attach(lantern, project)
    assert findings(lantern, project) == ""


def test_the_doctor_sees_what_is_wrong(label_studio: LiveLabelStudio, lantern: LiveLantern) -> None:
    api, project = label_studio.api(), label_studio.make_project("ill")
    assert findings(lantern, project).count("\n") == 0, "not connected is one finding, not five"
    assert "never connected" in findings(lantern, project)
    assert f"--project {project}` with the --url and --token" in findings(lantern, project)
    attach(lantern, project)
    [hook] = api.webhooks(project)
    api.update_webhook(hook["id"], {"headers": {}, "send_payload": False})
    api.create_webhook({"project": project, "url": hook["url"]})
    api.update_project(project, {"sampling": "Sequential sampling", "show_collab_predictions": False})
    api.delete_view(api.views(project)[0]["id"])
    label_studio.import_tasks(project, [{"text": "t"}])
    text = findings(lantern, project)
    for expected in ("2 webhooks", "headers", "send_payload", "not ordered by score", "hidden", '"Label next" tab'):
        assert expected in text
    attach(lantern, project)
    assert findings(lantern, project) == "", "connect mends all of it"
    api.delete_webhook(api.webhooks(project)[0]["id"])
    assert "no webhook goes to" in findings(lantern, project)
    assert "with the --url" not in findings(lantern, project), "they are kept"
    api.delete_backend(api.backends(project)[0]["id"])
    assert "no ML backend" in findings(lantern, project)


def test_the_doctor_names_controls_that_are_not_predicted(label_studio: LiveLabelStudio, lantern: LiveLantern) -> None:
    config = (
        '<View><Text name="text" value="$text"/><Labels name="spans" toName="text"><Label value="x"/></Labels></View>'
    )
    project = label_studio.make_project("spans", config)
    attach(lantern, project)
    text = findings(lantern, project)
    assert '"spans" is not predicted' in text
    assert "asks nothing that Lantern predicts" in text


def test_the_doctor_when_a_side_is_down(label_studio: LiveLabelStudio, lantern: LiveLantern) -> None:
    project = label_studio.make_project("down")
    attach(lantern, project)
    nowhere = f"http://127.0.0.1:{free_port()}"
    assert "does not reach Label Studio" in findings(lantern, project, url=nowhere, token="f" * 40)
    assert "refuses the token" in findings(lantern, project, url=label_studio.url, token="f" * 40)
    assert "does not answer at" in findings(lantern, project, backend_url=nowhere)
    bare = replace(lantern.settings, label_studio_url=None, label_studio_api_key=None)
    assert f"lantern doctor --project {project}" in str(diagnose(lantern.db, bare))


def test_the_doctor_looks_at_a_project_before_lantern_has_kept_anything(
    label_studio: LiveLabelStudio, lantern: LiveLantern
) -> None:
    project = label_studio.make_project("before")
    found = diagnose(None, lantern.settings, project=project)
    wrong = [finding.what for finding in found if finding.severity is not Severity.OK]
    assert wrong == [f"no Lantern has kept anything in {lantern.settings.home}", f"project {project} is not known here"]
    assert any("controls: c" in finding.what for finding in found)
