"""A private API is a REST API: its events come in another form (payload 1.0), and its answers go in another."""

from __future__ import annotations

from typing import Any

from lanework.edges.rest_events import as_http_event, as_rest_answer, is_rest

EVENT: dict[str, Any] = {
    "resource": "/{path+}",
    "path": "/api/jobs",
    "httpMethod": "GET",
    "headers": {"Host": "abc.execute-api.eu-central-1.amazonaws.com", "Cookie": "a=1; b=2"},
    "multiValueHeaders": {
        "Host": ["abc.execute-api.eu-central-1.amazonaws.com"],
        "Cookie": ["a=1; b=2"],
        "X-Forwarded-Proto": ["https"],
        "Accept": ["text/html", "*/*"],
    },
    "queryStringParameters": {"status": "dead", "lane": "low"},
    "multiValueQueryStringParameters": {"status": ["queued", "dead"], "lane": ["low"], "q": ["a b&c"]},
    "requestContext": {
        "stage": "jobs",
        "path": "/jobs/api/jobs",
        "protocol": "HTTP/1.1",
        "requestId": "request-1",
        "identity": {"sourceIp": "10.0.1.7", "userAgent": "curl"},
    },
    "body": None,
    "isBase64Encoded": False,
}


def test_a_request_of_a_private_api_is_as_one_of_a_public_api() -> None:
    event = as_http_event(EVENT)

    assert not is_rest(event)
    assert (event["rawPath"], event["requestContext"]["http"]["method"]) == ("/api/jobs", "GET")
    assert event["rawQueryString"] == "status=queued&status=dead&lane=low&q=a+b%26c"
    assert event["queryStringParameters"]["status"] == "queued,dead"
    assert event["headers"]["accept"] == "text/html,*/*"
    assert event["headers"]["x-forwarded-proto"] == "https"
    assert event["cookies"] == ["a=1", "b=2"]
    assert event["requestContext"]["http"]["sourceIp"] == "10.0.1.7"
    assert event["requestContext"]["stage"] == "$default", "whose paths begin with no name of a stage"


def test_a_request_with_neither_headers_nor_a_query_is_one() -> None:
    bare = {**EVENT, "headers": None, "multiValueHeaders": None, "multiValueQueryStringParameters": None}

    event = as_http_event(bare)

    assert (event["headers"], event["cookies"], event["rawQueryString"]) == ({}, [], "")


def test_an_answers_cookies_are_headers_of_one_name() -> None:
    answer = {"statusCode": 303, "headers": {"Location": "./"}, "body": "", "cookies": ["a=1", "b=2"]}

    assert as_rest_answer(answer) == {
        "statusCode": 303,
        "headers": {"Location": "./"},
        "body": "",
        "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]},
    }
