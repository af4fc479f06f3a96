"""Every page of the console in both languages, themes and widths: nothing overflows, no text is
missing, and axe finds nothing serious. The pictures are kept in build/reports/console."""
import re

import pytest
from support.meesh import ROOT
from support.processes import wait_until

PICTURES = ROOT / "build" / "reports" / "console"
PAGES = {
    "home": "/",
    "about": "/home/about",
    "sql": "/sql",
    "lake": "/lake",
    "bucket": "/lake/buckets/datalake",
    "tables": "/lake/tables",
    "table": "/lake/tables/lake/curated/customer_360",
    "table_snapshots": "/lake/tables/lake/curated/customer_360?tab=snapshots",
    "catalogue": "/catalogue",
    "search": "/catalogue?q=customer",
    "asset": "/catalogue/lake.curated.customer_360",
    "lineage": "/catalogue/lake.curated.customer_360?tab=lineage",
    "glossary": "/catalogue/glossary",
    "products": "/catalogue/products",
    "contracts": "/catalogue/contracts",
    "pipelines": "/pipelines",
    "pipeline": "/pipelines/retail",
    "runs": "/pipelines/retail?tab=runs",
    "ingestion": "/ingestion",
    "new_source": "/ingestion/new",
    "streams": "/streams",
    "stream": "/streams/user_transaction_summary",
    "feeds": "/feeds",
    "quality": "/quality",
    "dashboards": "/dashboards",
    "customer_metrics": "/dashboards/customer_metrics",
    "dashboard_edit": "/dashboards/customer_metrics/edit",
    "alerts": "/alerts",
    "reports": "/reports",
    "users": "/admin",
    "policies": "/admin/policies",
    "audit": "/admin/audit",
    "queries": "/admin/queries",
    "log": "/admin/log",
    "settings": "/admin/settings",
    "account": "/admin/account",
    "sign_in": "/sign-in",
    "not_found": "/lake/nothing/here/at/all/to/see",
}
LOOKS = [("en", "light", 1280), ("fr", "dark", 390)]
OTHERS = [(language, theme, width) for language in ("en", "fr") for theme in ("light", "dark")
          for width in (1280, 390) if (language, theme, width) not in LOOKS]
# How the console shows a text that is defined nowhere.
MISSING = re.compile(r"⟦.*?⟧")


def looks():
    for look in LOOKS:
        yield pytest.param(*look, id="-".join(map(str, look)))
    for look in OTHERS:
        yield pytest.param(*look, id="-".join(map(str, look)), marks=pytest.mark.full)


def settled(page):
    """Waits until the page has asked for what it wants and shows it."""
    wait_until(lambda: page.locator("main [role=status]").count() == 0, 20, "the page at rest")
    page.wait_for_timeout(400)


def serious(page, axe):
    page.evaluate(axe)
    found = page.evaluate("""async () => (await axe.run(document, {resultTypes: ['violations']}))
        .violations.filter(v => ['serious', 'critical'].includes(v.impact))
        .map(v => `${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map(n => n.html).join(' | ')}`)""")
    return found


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("language, theme, width", list(looks()))
def test_page(console, demo_ran, axe, name, language, theme, width):
    page = console(PAGES[name], language=language, theme=theme, width=width)
    page.wait_for_selector("h1")
    settled(page)
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}-{language}-{theme}-{width}.png")
    overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert overflow <= 0, f"{overflow} pixels wider than the screen"
    missing = MISSING.findall(page.inner_text("body"))
    assert not missing, f"texts that are missing: {missing}"
    assert page.evaluate("document.documentElement.lang") == language
    findings = serious(page, axe)
    assert not findings, "\n".join(findings)
