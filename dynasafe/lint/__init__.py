"""Calls of boto3 and aioboto3 in source code that will fail, found before they run."""
