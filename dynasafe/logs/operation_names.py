"""Names of DynamoDB's operations, and those that other services have too.

Source: the service models in botocore.
"""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ONLY_DYNAMODB: frozenset[str] = words(
    "BatchGetItem BatchWriteItem CreateGlobalTable DeleteItem DescribeBackup "
    "DescribeContinuousBackups DescribeContributorInsights DescribeGlobalTable "
    "DescribeGlobalTableSettings DescribeKinesisStreamingDestination "
    "DescribeTableReplicaAutoScaling DescribeTimeToLive DisableKinesisStreamingDestination "
    "EnableKinesisStreamingDestination ExecuteTransaction ExportTableToPointInTime GetItem "
    "ImportTable ListBackups ListContributorInsights ListGlobalTables ListTagsOfResource PutItem "
    "RestoreTableFromBackup RestoreTableToPointInTime Scan TransactGetItems TransactWriteItems "
    "UpdateContinuousBackups UpdateContributorInsights UpdateGlobalTable "
    "UpdateGlobalTableSettings UpdateItem UpdateKinesisStreamingDestination "
    "UpdateTableReplicaAutoScaling UpdateTimeToLive"
)
"""Operations whose name no other service of botocore has."""

SHARED: frozenset[str] = words(
    "BatchExecuteStatement CreateBackup CreateTable DeleteBackup DeleteResourcePolicy "
    "DeleteTable DescribeEndpoints DescribeExport DescribeImport DescribeLimits DescribeTable "
    "ExecuteStatement GetResourcePolicy ListExports ListImports ListTables PutResourcePolicy "
    "Query TagResource UntagResource UpdateTable"
)
"""Operations of DynamoDB whose name another service has too."""
