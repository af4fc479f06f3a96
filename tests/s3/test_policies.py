"""Who may do what: bucket policies, users and their prefixes, canned ACLs, conditions."""
import json

import pytest
from support.s3 import body_of, code_of, refused


def statement(bucket, actions, resources=("",), **more):
    return {"Effect": "Allow", "Action": actions,
            "Resource": [f"arn:aws:s3:::{bucket}{r}" for r in resources], **more}


def put_policy(s3, bucket, *statements):
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(
        {"Version": "2012-10-17", "Statement": list(statements)}))


def public(bucket, actions, resources=("",), **more):
    return statement(bucket, actions, resources, Principal="*", **more)


def allowed(call, *arguments, **options):
    code = code_of(call, *arguments, **options)
    assert code in ("", "AccessDenied", "403", "404", "NoSuchKey"), code
    return code not in ("AccessDenied", "403")


@pytest.fixture
def nobody(endpoint):
    return endpoint.client("anonymous")


def test_a_policy_is_kept_and_taken_away(s3, bucket):
    put_policy(s3, bucket, public(bucket, "s3:GetObject", ["/*"]))
    kept = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    assert kept["Statement"][0]["Effect"] == "Allow"
    s3.delete_bucket_policy(Bucket=bucket)
    with refused("NoSuchBucketPolicy", 404):
        s3.get_bucket_policy(Bucket=bucket)


def test_everybody_may_read_what_is_public(s3, nobody, bucket):
    s3.put_object(Bucket=bucket, Key="public/a", Body=b"a")
    s3.put_object(Bucket=bucket, Key="private/b", Body=b"b")
    put_policy(s3, bucket, public(bucket, "s3:GetObject", ["/public/*"]))
    assert body_of(nobody, bucket, "public/a") == b"a"
    assert not allowed(nobody.get_object, Bucket=bucket, Key="private/b")
    assert not allowed(nobody.put_object, Bucket=bucket, Key="public/a", Body=b"x")
    assert not allowed(nobody.delete_object, Bucket=bucket, Key="public/a")
    assert not allowed(nobody.list_objects_v2, Bucket=bucket)
    s3.delete_bucket_policy(Bucket=bucket)
    assert not allowed(nobody.get_object, Bucket=bucket, Key="public/a")


@pytest.mark.minio_differs("NoSuchKey for everybody")
def test_whether_a_key_is_there_is_known_to_who_may_list(s3, nobody, bucket):
    put_policy(s3, bucket, public(bucket, "s3:GetObject", ["/*"]))
    with refused("AccessDenied", 403):
        nobody.get_object(Bucket=bucket, Key="none")
    put_policy(s3, bucket, public(bucket, "s3:GetObject", ["/*"]), public(bucket, "s3:ListBucket"))
    with refused("NoSuchKey", 404):
        nobody.get_object(Bucket=bucket, Key="none")


def test_a_deny_wins(s3, nobody, bucket):
    s3.put_object(Bucket=bucket, Key="a", Body=b"a")
    s3.put_object(Bucket=bucket, Key="secret/b", Body=b"b")
    deny = {**public(bucket, "s3:*", ["/secret/*"]), "Effect": "Deny"}
    put_policy(s3, bucket, public(bucket, "s3:GetObject", ["/*"]), deny)
    assert body_of(nobody, bucket, "a") == b"a"
    assert not allowed(nobody.get_object, Bucket=bucket, Key="secret/b")


def test_listing_only_under_a_prefix(s3, nobody, bucket):
    for key in ("open/a", "open/b", "closed/c"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    put_policy(s3, bucket, public(bucket, "s3:ListBucket", Condition={
        "StringLike": {"s3:prefix": ["open/*", "open/"]}}))
    assert nobody.list_objects_v2(Bucket=bucket, Prefix="open/")["KeyCount"] == 2
    assert not allowed(nobody.list_objects_v2, Bucket=bucket)
    assert not allowed(nobody.list_objects_v2, Bucket=bucket, Prefix="closed/")
    assert not allowed(nobody.list_objects_v2, Bucket=bucket, Prefix="")


def test_conditions_on_the_address(s3, nobody, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    put_policy(s3, bucket, public(bucket, "s3:GetObject", ["/*"], Condition={
        "IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}))
    assert allowed(nobody.get_object, Bucket=bucket, Key="k")
    put_policy(s3, bucket, public(bucket, "s3:GetObject", ["/*"], Condition={
        "NotIpAddress": {"aws:SourceIp": "127.0.0.0/8"}}))
    assert not allowed(nobody.get_object, Bucket=bucket, Key="k")


def test_a_forwarded_address_is_not_believed(endpoint, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    put_policy(s3, bucket, public(bucket, "s3:GetObject", ["/*"], Condition={
        "IpAddress": {"aws:SourceIp": "10.1.2.3/32"}}))
    answer = endpoint.send("GET", f"/{bucket}/k", headers={"x-forwarded-for": "10.1.2.3",
                                                           "x-real-ip": "10.1.2.3"})
    # MinIO believes any proxy: a bug of its own.
    assert answer.status == 403 or endpoint.is_minio()


@pytest.mark.parametrize("document", [
    "", "{}", "[]", "nonsense", '{"Version":"2012-10-17"}', '{"Version":"2012-10-17","Statement":[]}',
    '{"Version":"1999-01-01","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*",'
    '"Resource":"arn:aws:s3:::BUCKET/*"}]}',
    '{"Version":"2012-10-17","Statement":[{"Effect":"Maybe","Principal":"*","Action":"s3:*",'
    '"Resource":"arn:aws:s3:::BUCKET/*"}]}',
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*",'
    '"Resource":"arn:aws:s3:::BUCKET/*"}]}',
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*",'
    '"Resource":"arn:aws:s3:::another-bucket/*"}]}',
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject",'
    '"Resource":"arn:aws:s3:::BUCKET/*","Condition":{"NoSuchOperator":{"a":"b"}}}]}',
    '{"Version":"2012-10-17","Statement":' + "[" * 2000 + "]" * 2000 + "}"])
@pytest.mark.minio_differs("takes it for none, or an empty one", only={
    "", '{"Version":"2012-10-17"}', '{"Version":"2012-10-17","Statement":[]}'})
def test_policies_that_are_none(s3, bucket, document):
    assert code_of(s3.put_bucket_policy, Bucket=bucket,
                   Policy=document.replace("BUCKET", bucket)) in ("MalformedPolicy",
                                                                  "InvalidPolicyDocument",
                                                                  "MissingRequestBodyError")
    with refused("NoSuchBucketPolicy"):
        s3.get_bucket_policy(Bucket=bucket)


@pytest.mark.minio_differs("does not tell")
def test_whether_a_policy_is_public(s3, bucket):
    put_policy(s3, bucket, public(bucket, "s3:GetObject", ["/*"]))
    assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"] is True


# --- users ------------------------------------------------------------------------------------

CALLS = {
    "read": lambda c, b: c.get_object(Bucket=b, Key="mine/k"),
    "read elsewhere": lambda c, b: c.get_object(Bucket=b, Key="other/k"),
    "write": lambda c, b: c.put_object(Bucket=b, Key="mine/new", Body=b"x"),
    "write elsewhere": lambda c, b: c.put_object(Bucket=b, Key="other/new", Body=b"x"),
    "delete": lambda c, b: c.delete_object(Bucket=b, Key="mine/none"),
    "list": lambda c, b: c.list_objects_v2(Bucket=b, Prefix="mine/"),
    "copy out": lambda c, b: c.copy_object(Bucket=b, Key="mine/copy",
                                           CopySource={"Bucket": b, "Key": "other/k"}),
    "delete many": lambda c, b: c.delete_objects(Bucket=b, Delete={"Objects": [
        {"Key": "other/none"}]}),
    "policy": lambda c, b: c.put_bucket_policy(Bucket=b, Policy="{}"),
    "remove": lambda c, b: c.delete_bucket(Bucket=b),
    "begin parts": lambda c, b: c.create_multipart_upload(Bucket=b, Key="mine/parts"),
    "tags": lambda c, b: c.put_object_tagging(Bucket=b, Key="mine/k", Tagging={"TagSet": []}),
}
RIGHTS = {
    "reader": ([("s3:GetObject", ["/mine/*"]), ("s3:ListBucket", [""])], {"read", "list"}),
    "writer": ([(["s3:PutObject", "s3:GetObject"], ["/mine/*"])],
               {"read", "write", "begin parts"}),
    "cleaner": ([("s3:DeleteObject", ["/mine/*"])], {"delete"}),
    "wildcard": ([("s3:*Object", ["/m?ne/*"])], {"read", "write", "delete", "begin parts"}),
    "nothing": ([("s3:ListAllMyBuckets", ["*"])], set()),
}


@pytest.mark.parametrize("role", RIGHTS)
def test_a_user_may_do_what_the_policy_says_and_no_more(endpoint, s3, bucket, user, role):
    s3.put_object(Bucket=bucket, Key="mine/k", Body=b"x")
    s3.put_object(Bucket=bucket, Key="other/k", Body=b"x")
    grants, may = RIGHTS[role]
    statements = [{"Effect": "Allow", "Action": action, "Resource": [
        "arn:aws:s3:::*" if r == "*" else f"arn:aws:s3:::{bucket}{r}" for r in resources]}
        for action, resources in grants]
    mine = endpoint.client(user({"Statement": statements}))
    outcome = {}
    for name, call in CALLS.items():
        try:
            answer = call(mine, bucket)
            errors = answer.get("Errors", [])
            outcome[name] = errors[0]["Code"] if errors else ""
        except Exception as error:
            outcome[name] = error.response["Error"]["Code"]
    assert {name for name, code in outcome.items() if not code} == may, outcome
    assert {code for code in outcome.values() if code} <= {"AccessDenied"}, outcome


def test_buckets_of_others_are_not_listed(endpoint, bucket, make_bucket, user):
    other = make_bucket()
    mine = endpoint.client(user({"Statement": [statement(bucket, "s3:*", ["", "/*"])]}))
    assert code_of(mine.list_objects_v2, Bucket=other) == "AccessDenied"
    try:
        names = [b["Name"] for b in mine.list_buckets()["Buckets"]]
    except Exception as error:
        assert error.response["Error"]["Code"] == "AccessDenied"
    else:
        assert other not in names


@pytest.mark.minio_differs("asks the bucket's policy for anonymous requests alone")
def test_a_deny_of_the_bucket_beats_the_users_allow(endpoint, s3, bucket, user):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    keys = user({"Statement": [statement(bucket, "s3:*", ["", "/*"])]})
    mine = endpoint.client(keys)
    assert body_of(mine, bucket, "k") == b"x"
    put_policy(s3, bucket, {**public(bucket, "s3:GetObject", ["/*"]), "Effect": "Deny",
                            "Condition": {"StringNotEquals": {"aws:UserAgent": "nobody has this"}}})
    assert not allowed(mine.get_object, Bucket=bucket, Key="k")
    s3.delete_bucket_policy(Bucket=bucket)


def test_presigned_urls_have_the_rights_of_who_signed(endpoint, s3, bucket, user):
    s3.put_object(Bucket=bucket, Key="mine/k", Body=b"x")
    s3.put_object(Bucket=bucket, Key="other/k", Body=b"x")
    signer = endpoint.signer(user({"Statement": [statement(bucket, "s3:GetObject", ["/mine/*"])]}))
    assert endpoint.presigned("GET", f"/{bucket}/mine/k", signer=signer).status == 200
    assert endpoint.presigned("GET", f"/{bucket}/other/k", signer=signer).status == 403


# --- ACLs -------------------------------------------------------------------------------------


@pytest.mark.minio_differs("has no ACLs but private")
def test_canned_acls(s3, nobody, bucket):
    s3.put_object(Bucket=bucket, Key="open", Body=b"x", ACL="public-read")
    s3.put_object(Bucket=bucket, Key="closed", Body=b"x", ACL="private")
    assert body_of(nobody, bucket, "open") == b"x"
    assert not allowed(nobody.get_object, Bucket=bucket, Key="closed")
    s3.put_object_acl(Bucket=bucket, Key="open", ACL="private")
    assert not allowed(nobody.get_object, Bucket=bucket, Key="open")
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
    assert nobody.list_objects_v2(Bucket=bucket)["KeyCount"] == 2
    assert not allowed(nobody.put_object, Bucket=bucket, Key="new", Body=b"x")


def test_the_acl_of_a_private_object(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    acl = s3.get_object_acl(Bucket=bucket, Key="k")
    assert [g["Permission"] for g in acl["Grants"]] == ["FULL_CONTROL"]
    assert [g["Permission"] for g in s3.get_bucket_acl(Bucket=bucket)["Grants"]] == ["FULL_CONTROL"]
