from __future__ import annotations

from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from dynasafe.testing.engines import Engine, EngineUnavailableError, start_engine
from tests.integration.conftest import boto3_client


def test_given_an_engine_when_started_then_it_answers(engine: Engine) -> None:
    assert isinstance(boto3_client(engine).list_tables()["TableNames"], list)


def test_given_empty_names_when_sent_then_only_the_lenient_engine_takes_them(
    engine: Engine,
) -> None:
    client = boto3_client(engine)
    client.create_table(
        TableName="lenience",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )
    try:
        message = None
        try:
            client.update_item(
                TableName="lenience",
                Key={"id": {"S": "a"}},
                UpdateExpression="SET a = :a",
                ExpressionAttributeNames={},
                ExpressionAttributeValues={":a": {"S": "x"}},
            )
        except ClientError as error:
            message = error.response["Error"]["Message"]

        assert message == (
            "ExpressionAttributeNames must not be empty" if engine.is_strict else None
        )
    finally:
        client.delete_table(TableName="lenience")


@pytest.mark.parametrize("name", ["dynalite", "dynamodb-local"])
def test_given_an_empty_folder_when_started_then_the_error_says_how_to_mend_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DYNASAFE_ENGINES_DIR", str(tmp_path))

    with (
        pytest.raises(EngineUnavailableError, match=f"{name} is not installed: .*`make engines`"),
        start_engine(name),  # type: ignore[arg-type]
    ):
        pass
