"""The DynamoDB Encryption Client, which encrypts attributes before a Table takes them."""

from __future__ import annotations

from typing import Any

import boto3
from dynamodb_encryption_sdk.delegated_keys.jce import JceNameLocalDelegatedKey
from dynamodb_encryption_sdk.encrypted.table import EncryptedTable
from dynamodb_encryption_sdk.identifiers import CryptoAction, EncryptionKeyType, KeyEncodingType
from dynamodb_encryption_sdk.material_providers.wrapped import WrappedCryptographicMaterialsProvider
from dynamodb_encryption_sdk.structures import AttributeActions

from tests.third_party.scenario import Place, scenario


def encrypted(place: Place) -> Any:
    resource: Any = boto3.resource("dynamodb", **place.options())
    place.create_table(resource.meta.client, id="S")
    wrapping = JceNameLocalDelegatedKey(
        b"k" * 32, "AES", EncryptionKeyType.SYMMETRIC, KeyEncodingType.RAW
    )
    signing = JceNameLocalDelegatedKey(
        b"s" * 32, "HmacSHA512", EncryptionKeyType.SYMMETRIC, KeyEncodingType.RAW
    )
    provider = WrappedCryptographicMaterialsProvider(
        wrapping_key=wrapping, unwrapping_key=wrapping, signing_key=signing
    )
    actions = AttributeActions(attribute_actions={"plain": CryptoAction.DO_NOTHING})
    table = resource.Table(place.table)
    return EncryptedTable(table=table, materials_provider=provider, attribute_actions=actions)


@scenario("dynamodb-encryption-sdk")
def puts_and_gets(place: Place) -> Any:
    table = encrypted(place)
    table.put_item(Item={"id": "a", "name": "Ada", "plain": 3, "tags": {"x"}})
    return sorted(table.get_item(Key={"id": "a"})["Item"].items(), key=str)


@scenario("dynamodb-encryption-sdk")
def puts_what_is_too_large(place: Place) -> Any:
    return encrypted(place).put_item(Item={"id": "a", "text": "x" * 450_000})
