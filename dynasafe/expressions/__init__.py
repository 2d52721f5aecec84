"""DynamoDB expressions: their tree, its parser and its renderer."""
