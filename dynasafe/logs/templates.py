"""Writes filters and alarms for CloudFormation, Terraform and CDK."""

from __future__ import annotations

import json
from typing import Any

from dynasafe.logs.alarms import NAMESPACE, Alarm, Deployment, MetricFilter

_PERIOD_S = 300


def cloudformation(deployment: Deployment) -> str:
    """A CloudFormation template, as JSON."""
    resources: dict[str, Any] = {}
    for number, each in enumerate(deployment.filters, 1):
        resources[f"Filter{number:03}"] = {
            "Type": "AWS::Logs::MetricFilter",
            "Properties": {
                "FilterName": each.name,
                "LogGroupName": each.group,
                "FilterPattern": each.pattern,
                "MetricTransformations": [
                    {
                        "MetricNamespace": NAMESPACE,
                        "MetricName": each.metric,
                        "MetricValue": "1",
                        "DefaultValue": 0,
                    }
                ],
            },
        }
    for number, alarm in enumerate(deployment.alarms, 1):
        resources[f"Alarm{number:03}"] = {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "AlarmName": alarm.name,
                "AlarmDescription": alarm.description,
                "Namespace": NAMESPACE,
                "MetricName": alarm.metric,
                **(
                    {"Dimensions": [{"Name": n, "Value": v} for n, v in alarm.dimensions]}
                    if alarm.dimensions
                    else {}
                ),
                "Statistic": "Sum",
                "Period": _PERIOD_S,
                "EvaluationPeriods": alarm.periods,
                "DatapointsToAlarm": alarm.breaching,
                "Threshold": alarm.threshold,
                "ComparisonOperator": "GreaterThanOrEqualToThreshold",
                "TreatMissingData": "notBreaching",
                **({"AlarmActions": [deployment.topic]} if deployment.topic else {}),
            },
        }
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": _title(deployment),
        "Resources": resources,
    }
    return json.dumps(template, indent=2) + "\n"


def terraform(deployment: Deployment) -> str:
    """A Terraform configuration in its JSON syntax: save it as `dynasafe.tf.json`."""
    filters = {
        f"{_identifier(each)}_{number:03}": {
            "name": each.name,
            "log_group_name": each.group,
            "pattern": each.pattern,
            "metric_transformation": {
                "namespace": NAMESPACE,
                "name": each.metric,
                "value": "1",
                "default_value": "0",
            },
        }
        for number, each in enumerate(deployment.filters, 1)
    }
    alarms = {
        _identifier(each): {
            "alarm_name": each.name,
            "alarm_description": each.description,
            "namespace": NAMESPACE,
            "metric_name": each.metric,
            **({"dimensions": dict(each.dimensions)} if each.dimensions else {}),
            "statistic": "Sum",
            "period": _PERIOD_S,
            "evaluation_periods": each.periods,
            "datapoints_to_alarm": each.breaching,
            "threshold": each.threshold,
            "comparison_operator": "GreaterThanOrEqualToThreshold",
            "treat_missing_data": "notBreaching",
            **({"alarm_actions": [deployment.topic]} if deployment.topic else {}),
        }
        for each in deployment.alarms
    }
    configuration = {
        "//": _title(deployment),
        "resource": {
            "aws_cloudwatch_log_metric_filter": filters,
            "aws_cloudwatch_metric_alarm": alarms,
        },
    }
    return json.dumps(configuration, indent=2) + "\n"


_CDK = '''\
"""{title}"""

import aws_cdk.aws_cloudwatch as cloudwatch
import aws_cdk.aws_cloudwatch_actions as actions
import aws_cdk.aws_logs as logs
import aws_cdk.aws_sns as sns
from aws_cdk import Duration
from constructs import Construct

FILTERS = [
    # name, log group, metric, pattern
{filters}]

ALARMS = [
    # name, metric, threshold, breaching, periods, description, dimensions
{alarms}]

TOPIC = {topic!r}


class DynamoDBAlarms(Construct):
    """Metric filters and alarms for known DynamoDB errors."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        for number, (name, group, metric, pattern) in enumerate(FILTERS):
            logs.MetricFilter(
                self,
                f"Filter{{number:03}}",
                log_group=logs.LogGroup.from_log_group_name(self, f"Group{{number:03}}", group),
                filter_name=name,
                filter_pattern=logs.FilterPattern.literal(pattern),
                metric_namespace={namespace!r},
                metric_name=metric,
                metric_value="1",
                default_value=0,
            )
        for name, metric, threshold, breaching, periods, description, dimensions in ALARMS:
            alarm = cloudwatch.Alarm(
                self,
                name,
                alarm_name=name,
                alarm_description=description,
                metric=cloudwatch.Metric(
                    namespace={namespace!r},
                    metric_name=metric,
                    dimensions_map=dimensions,
                    statistic="Sum",
                    period=Duration.minutes(5),
                ),
                threshold=threshold,
                datapoints_to_alarm=breaching,
                evaluation_periods=periods,
                comparison_operator=(
                    cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
                ),
                treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            )
            if TOPIC is not None:
                topic = sns.Topic.from_topic_arn(self, f"{{name}}-topic", TOPIC)
                alarm.add_alarm_action(actions.SnsAction(topic))
'''


def cdk(deployment: Deployment) -> str:
    """A construct of AWS CDK in Python."""
    filters = "".join(
        f"    ({each.name!r}, {each.group!r}, {each.metric!r}, {each.pattern!r}),\n"
        for each in deployment.filters
    )
    alarms = "".join(
        f"    ({each.name!r}, {each.metric!r}, {each.threshold}, {each.breaching}, "
        f"{each.periods}, {each.description!r}, {dict(each.dimensions)!r}),\n"
        for each in deployment.alarms
    )
    return _CDK.format(
        title=_title(deployment),
        filters=filters,
        alarms=alarms,
        topic=deployment.topic,
        namespace=NAMESPACE,
    )


WRITERS = {"cloudformation": cloudformation, "terraform": terraform, "cdk": cdk}


def _title(deployment: Deployment) -> str:
    return (
        "Metric filters and alarms for known DynamoDB errors, written by `dynasafe logs deploy`. "
        f"Catalogue {deployment.version}."
    )


def _identifier(each: MetricFilter | Alarm) -> str:
    return each.name.replace("-", "_")
