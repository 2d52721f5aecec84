"""What a process finds around it: settings, credentials, certificates, proxies.

All of it is blocking, and for the shells to call off their event loop. What the environment alone
does not decide is asked of botocore, which is imported only then.
"""
