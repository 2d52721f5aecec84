"""dynamo-pandas: data frames in a table."""

from __future__ import annotations

from typing import Any

import boto3
import pandas as pd
from dynamo_pandas import get_df, keys, put_df

from tests.third_party.scenario import Place, scenario


def table(place: Place) -> dict[str, Any]:
    place.create_table(boto3.client("dynamodb", **place.options()), id="S")
    return {"table": place.table, "boto3_kwargs": {"endpoint_url": place.url}}


def frame(**more: Any) -> Any:
    return pd.DataFrame({"id": [f"k{n}" for n in range(30)], "n": range(30), **more})


@scenario("dynamo-pandas")
def puts_and_gets(place: Place) -> Any:
    where = table(place)
    put_df(frame(), **where)
    return sorted(get_df(**where)["n"].tolist())[:3]


@scenario("dynamo-pandas")
def gets_by_key(place: Place) -> Any:
    where = table(place)
    put_df(frame(), **where)
    return sorted(
        get_df(keys=keys(id=["k1", "k2"]), attributes=["id", "n"], **where)["id"].tolist()
    )


@scenario("dynamo-pandas")
def gets_one_key_twice(place: Place) -> Any:
    return len(get_df(keys=keys(id=["k1", "k1"]), **table(place)))


@scenario("dynamo-pandas")
def puts_one_key_twice(place: Place) -> Any:
    return put_df(pd.DataFrame({"id": ["a", "a"]}), **table(place))


@scenario("dynamo-pandas")
def puts_an_empty_key(place: Place) -> Any:
    return put_df(pd.DataFrame({"id": [""]}), **table(place))
