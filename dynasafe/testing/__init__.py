"""What services need to test their own DynamoDB code."""
