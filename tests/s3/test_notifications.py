"""Events to a webhook: configuration, filters, what an event says, nothing lost while it is away."""
import json
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.processes import wait_until
from support.s3 import code_of
from support.s3_server import WEBHOOK_ARN, WEBHOOK_PORT
from support.webhook import webhook as listener

pytestmark = pytest.mark.ours_only("MinIO names its webhooks in its environment")


@pytest.fixture
def webhook():
    with listener(WEBHOOK_PORT) as hook:
        hook.arn = WEBHOOK_ARN
        yield hook


def configure(s3, bucket, hook, events, prefix="", suffix=""):
    rules = [{"Name": name, "Value": value} for name, value in
             (("prefix", prefix), ("suffix", suffix)) if value]
    configuration = {"Id": "c", "QueueArn": hook.arn, "Events": events}
    if rules:
        configuration["Filter"] = {"Key": {"FilterRules": rules}}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={
        "QueueConfigurations": [configuration]})


def came(hook, count):
    wait_until(lambda: len(hook.records) >= count, 20, f"{count} events (came: {hook.records})")
    return [(r["eventName"], urllib.parse.unquote_plus(r["s3"]["object"]["key"]))
            for r in hook.records]


def test_a_configuration_is_kept(s3, bucket, webhook):
    configure(s3, bucket, webhook, ["s3:ObjectCreated:*"], "in/", ".csv")
    [kept] = s3.get_bucket_notification_configuration(Bucket=bucket)["QueueConfigurations"]
    assert kept["QueueArn"] == webhook.arn and kept["Events"] == ["s3:ObjectCreated:*"]
    assert {r["Name"].lower(): r["Value"] for r in kept["Filter"]["Key"]["FilterRules"]} == {
        "prefix": "in/", "suffix": ".csv"}


def test_events_of_one_key_in_order(s3, bucket, webhook):
    configure(s3, bucket, webhook, ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"])
    s3.put_object(Bucket=bucket, Key="a b+é", Body=b"content")
    s3.copy_object(Bucket=bucket, Key="a b+é", CopySource={"Bucket": bucket, "Key": "a b+é"},
                   MetadataDirective="REPLACE", Metadata={"x": "y"})
    s3.delete_object(Bucket=bucket, Key="a b+é")
    names = came(webhook, 3)
    assert [(n.removeprefix("s3:"), k) for n, k in names] == [
        ("ObjectCreated:Put", "a b+é"), ("ObjectCreated:Copy", "a b+é"),
        ("ObjectRemoved:Delete", "a b+é")]
    event = webhook.records[0]
    assert event["s3"]["bucket"]["name"] == bucket
    assert event["s3"]["object"]["size"] == 7
    assert event["s3"]["object"]["eTag"] == "9a0364b9e99bb480dd25e1f0284c8555"
    assert event["eventTime"] and event["eventVersion"]
    assert int(webhook.records[0]["s3"]["object"]["sequencer"], 16) < int(
        webhook.records[2]["s3"]["object"]["sequencer"], 16)


def test_filters_hold_back_the_rest(s3, bucket, webhook):
    configure(s3, bucket, webhook, ["s3:ObjectCreated:Put"], "in/", ".csv")
    for key in ("in/a.csv", "in/a.txt", "out/a.csv", "in/b.csv"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    s3.delete_object(Bucket=bucket, Key="in/a.csv")
    s3.put_object(Bucket=bucket, Key="in/last.csv", Body=b"")
    assert [k for _, k in came(webhook, 3)] == ["in/a.csv", "in/b.csv", "in/last.csv"]


def test_multipart_and_markers(s3, versioned, webhook):
    configure(s3, versioned, webhook, ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"])
    began = s3.create_multipart_upload(Bucket=versioned, Key="k")["UploadId"]
    tag = s3.upload_part(Bucket=versioned, Key="k", UploadId=began, PartNumber=1, Body=b"x")["ETag"]
    s3.complete_multipart_upload(Bucket=versioned, Key="k", UploadId=began, MultipartUpload={
        "Parts": [{"PartNumber": 1, "ETag": tag}]})
    s3.delete_object(Bucket=versioned, Key="k")
    assert [n.removeprefix("s3:") for n, _ in came(webhook, 2)] == [
        "ObjectCreated:CompleteMultipartUpload", "ObjectRemoved:DeleteMarkerCreated"]


def test_events_name_who_asked_although_many_ask_at_once(endpoint, s3, bucket, webhook):
    """They once named whoever's thread told of them."""
    configure(s3, bucket, webhook, ["s3:ObjectCreated:*"])
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({
        "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": "*", "Action": "s3:PutObject",
            "Resource": f"arn:aws:s3:::{bucket}/strangers/*"}]}))
    clients = {"strangers": endpoint.client("anonymous"), "own": s3}

    def put(number):
        who = list(clients)[number % 2]
        key = f"{who}/{number}"
        answer = clients[who].put_object(Bucket=bucket, Key=key, Body=b"")
        return key, answer["ResponseMetadata"]["RequestId"]

    with ThreadPoolExecutor(16) as pool:
        asked = dict(pool.map(put, range(200)))
    came(webhook, 200)
    assert {urllib.parse.unquote_plus(r["s3"]["object"]["key"]):
            r["responseElements"]["x-amz-request-id"] for r in webhook.records} == asked
    users = {(r["s3"]["object"]["key"].split("%2F")[0].split("/")[0],
              r["userIdentity"]["principalId"]) for r in webhook.records}
    assert len(users) == 2 and ("strangers", "") in users


def test_events_wait_for_a_listener_that_is_away(s3, bucket, webhook):
    webhook.status = 503
    configure(s3, bucket, webhook, ["s3:ObjectCreated:*"])
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    webhook.status = 200
    assert [k for _, k in came(webhook, 1)] == ["k"]


def test_nothing_comes_after_it_was_taken_away(s3, bucket, webhook):
    configure(s3, bucket, webhook, ["s3:ObjectCreated:*"])
    s3.put_object(Bucket=bucket, Key="one", Body=b"")
    came(webhook, 1)
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    assert "QueueConfigurations" not in s3.get_bucket_notification_configuration(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="two", Body=b"")
    configure(s3, bucket, webhook, ["s3:ObjectCreated:*"])
    s3.put_object(Bucket=bucket, Key="three", Body=b"")
    assert [k for _, k in came(webhook, 2)] == ["one", "three"]


@pytest.mark.parametrize("events,arn", [(["s3:NoSuchEvent"], None),
                                        (["s3:ObjectCreated:*"], "arn:aws:sqs:nowhere"),
                                        (["s3:ObjectCreated:*"], "ftp://example/x")])
def test_configurations_that_are_none(s3, bucket, webhook, events, arn):
    webhook.arn = arn or webhook.arn
    assert code_of(configure, s3, bucket, webhook, events) in ("InvalidArgument", "MalformedXML")
