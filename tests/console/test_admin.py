"""The administration's pages, and signing in, in a browser over a mesh that gets closed."""
import pytest
from playwright.sync_api import expect
from support.meesh import Meesh, plain_mesh

PASSWORD = "a long password"


@pytest.fixture(scope="module")
def mesh(work_folder):
    """Closed from the start; Ada administers, Vera looks."""
    meesh = Meesh(plain_mesh(work_folder / "admin-pages"), work_folder / "admin-pages-data")
    meesh.start()
    meesh.stop()
    for user, policy in (("ada", "consoleAdmin"), ("vera", "readonly")):
        for arguments, told in ((("add", user, "--policy", policy), None),
                                (("password", user), PASSWORD + "\n")):
            done = meesh.run("access", *arguments, "--mesh", meesh.mesh, "--data", meesh.data,
                             input=told)
            assert done.returncode == 0, done.stderr
    meesh.start()
    yield meesh
    meesh.stop()


@pytest.fixture
def signed_in(console, mesh):
    """Opens a page as a user, by the sign-in page."""
    def open_page(path="/admin", user="ada", language="en", **options):
        page = console(f"/sign-in?to={path}", language=language, url=mesh.url, **options)
        page.locator("input[autocomplete=username]").fill(user)
        page.locator("input[autocomplete=current-password]").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{mesh.url}{path}")
        return page
    return open_page


def test_whoever_is_not_signed_in_is_led_to_the_sign_in_page_and_back(console, mesh):
    page = console("/admin/audit?outcome=denied", url=mesh.url)
    page.wait_for_url("**/sign-in?to=*")
    page.locator("input[autocomplete=username]").fill("ada")
    page.locator("input[autocomplete=current-password]").fill("not this one")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("wrong")
    page.locator("input[autocomplete=current-password]").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/admin/audit?outcome=denied")
    expect(page.get_by_role("heading", level=1)).to_have_text("Audit trail")


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil.example",
                                    "javascript:alert(1)", "/sign-in", "http:evil.example"])
def test_signing_in_leads_to_no_other_site(console, mesh, target):
    page = console("/sign-in", url=mesh.url)
    page.goto(f"{mesh.url}/sign-in?to=" + page.evaluate("encodeURIComponent", target))
    page.locator("input[autocomplete=username]").fill("ada")
    page.locator("input[autocomplete=current-password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(mesh.url + "/")


def test_a_user_is_made_and_goes(signed_in):
    page = signed_in()
    page.get_by_role("button", name="New user").click()
    page.get_by_role("dialog").locator("input[maxlength='64']").fill("nina")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("nina")
    page.get_by_role("button", name="New key").click()
    expect(page.get_by_role("dialog")).to_contain_text("AWS_SECRET_ACCESS_KEY=")
    page.get_by_role("button", name="I have noted it").last.click()
    page.get_by_role("button", name="Delete", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Delete")).to_be_disabled()
    dialog.get_by_label("Name").fill("nina")
    dialog.get_by_role("button", name="Delete").click()
    page.wait_for_url("**/admin")
    expect(page.get_by_text("nina")).to_have_count(0)


def test_the_last_administrator_stays_and_the_page_says_why(signed_in):
    page = signed_in("/admin/users/ada")
    page.get_by_role("button", name="Disable").click()
    page.get_by_role("button", name="Yes, do it").click()
    expect(page.get_by_role("alert")).to_contain_text("last administrator")


def test_a_token_is_shown_once_and_revoked(signed_in, mesh):
    page = signed_in("/admin/account", user="vera")
    page.get_by_role("button", name="New token").click()
    page.get_by_role("dialog").locator("input[maxlength='100']").fill("nightly")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.get_by_role("dialog").last).to_contain_text("meesh_")
    page.get_by_role("button", name="I have noted it").last.click()
    expect(page.get_by_role("cell", name="nightly", exact=True)).to_be_visible()
    page.get_by_role("button", name="Revoke nightly").click()
    page.get_by_role("button", name="Yes, do it").click()
    expect(page.get_by_role("cell", name="nightly", exact=True)).to_have_count(0)


def test_who_only_looks_sees_no_administration(signed_in):
    page = signed_in("/admin", user="vera")
    expect(page.get_by_text("This is for administrators")).to_be_visible()
    expect(page.get_by_role("tab")).to_have_count(2)


def test_the_log_comes_as_it_is_written(signed_in):
    page = signed_in("/admin/log?q=/v1/info/coordinator")
    page.wait_for_timeout(500)
    page.request.get("/".join(page.url.split("/")[:3]) + "/v1/info/coordinator")
    expect(page.get_by_role("log")).to_contain_text("/v1/info/coordinator")


def test_text_that_looks_like_html_stays_text(signed_in, mesh):
    """Names of users that tried to sign in, agents and statements come from strangers."""
    page = signed_in("/admin/audit?outcome=denied")
    hostile = "<img src=x onerror=document.title=1>"
    page.request.post(mesh.url + "/api/v1/session", data={"user": hostile, "password": "x"},
                      headers={"Content-Type": "application/json"})
    page.wait_for_timeout(400)
    page.reload()
    expect(page.get_by_text(hostile).first).to_be_visible()
    assert page.locator("img[src=x]").count() == 0


PAGES = {"/admin": "Utilisateurs", "/admin/policies": "Politiques", "/admin/audit": "Journal d’audit",
         "/admin/queries": "Requêtes", "/admin/log": "Journal", "/admin/settings": "Réglages",
         "/admin/account": "Mon compte", "/admin/users/ada": "ada",
         "/admin/policies/readonly": "readonly"}


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_in_french_at_both_widths(signed_in, path, width):
    page = signed_in(path, language="fr", width=width, theme="dark")
    expect(page.get_by_role("heading", level=1)).to_have_text(PAGES[path])
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert "admin." not in page.locator("body").inner_text()
