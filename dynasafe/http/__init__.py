"""DynamoDB over HTTP, without I/O: signing, endpoints, credentials, requests and answers."""
