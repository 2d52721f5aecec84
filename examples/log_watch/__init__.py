"""Known DynamoDB errors, reported each hour: an AWS Lambda function, and a job of CI."""
