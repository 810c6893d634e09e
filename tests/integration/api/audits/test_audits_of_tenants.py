"""What tenants see of audits: figures of their own hits, and of nobody else's."""

from api.audits.sampling import HitAudits
from tests.installation import Installation
from tests.integration.tenants import Tenants
from workers.audits.auditor import Auditor


def test_a_tenant_sees_the_drift_of_its_own_hits_only(installation: Installation) -> None:
    tenants = Tenants(installation, AUDIT_HIT_RATIO="1", CACHE_SCOPE="shared")
    body, _ = tenants.answered(tenants.a)
    assert tenants.ask(tenants.b, body).status_code == 200
    audits = tenants.api.services.hit_audits
    assert isinstance(audits, HitAudits)
    audits.flush()
    assert Auditor(tenants.api.worker, "text").run_one() is True
    seen = {
        name: tenants.get(client, "statistics").json["audit"]["compared"]
        for name, client in (("a", tenants.a), ("b", tenants.b), ("admin", tenants.admin))
    }
    assert seen == {"a": 0, "b": 1, "admin": 1}


def test_an_audit_spends_no_budget(installation: Installation) -> None:
    tenants = Tenants(installation, AUDIT_HIT_RATIO="1")
    client = tenants.limited(dollars_per_day=1)
    body, _ = tenants.answered(client)
    assert tenants.ask(client, body).status_code == 200
    audits = tenants.api.services.hit_audits
    assert isinstance(audits, HitAudits)
    audits.flush()
    before = tenants.get(client, "usage").json
    assert Auditor(tenants.api.worker, "text").run_one() is True
    assert tenants.get(client, "usage").json == before
