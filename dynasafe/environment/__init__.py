"""The environment of a process: settings, credentials, certificates, proxies.

All functions block, so the async shell calls them in a thread. If the environment alone does not
decide, botocore does, and is imported only then.
"""
