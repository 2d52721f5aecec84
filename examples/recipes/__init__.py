"""Recipes: each is one file that stands alone, to be copied into a service."""
