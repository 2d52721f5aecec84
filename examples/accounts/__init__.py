"""An accounts service: the recipes of this repository, composed over one table.

What it does: sign-up with a unique e-mail address, verification, sign-in with lockout, sessions,
password reset, change of e-mail address and password, deletion and erasure, an audit log, and a
dashboard.

Threat model: Strangers guess passwords and tokens, sign up with other people's addresses, lock
others out, and measure who has an account; a thief has a session or a copy of the table; an insider
deletes audit entries. Whoever reads the mailbox or runs code on the host is beyond this.

What it guarantees:
- Of 50 sign-ups with one address at once, one account is made, and nobody learns whether the
  address was taken.
- An address is the account's only after its owner has confirmed it; until then it signs nobody in.
- A new address takes effect when it is confirmed; the old one gets a notice.
- Each change and its audit entry are one transaction: no change is unrecorded, and no entry is
  there without its change.
- The entries of a person form a chain whose head is in the account: `audit` finds what is missing.
- A change of the password, a reset, an end of all sessions and a deletion end every session that
  was opened before, whatever raced it.
- Guesses lock out strangers, and not the devices of the owner.
- Every call on behalf of a person needs their session; the dashboard needs an administrator's.
- A stolen session alone changes nothing: changes, deletion and erasure need the password too.
- A known and an unknown address cost the same requests, at sign-up, sign-in and reset.
- An account whose address nobody confirms is removed by Time to Live.
- A deleted person can be restored for a month, keeps the address so long, and can be erased.
- Erasure leaves entries that name an id and no more.
- Through lost answers and conflicts, an account, its address and its entries stay in step.
- Items that lack every optional attribute, as after a migration, work like any others.

What it leaves to you: HTTP and its cookies, mail, limits per address (see rate_limiting), TLS, and
keeping `secret` and the audit key in a secret store. Answer every sign-up and every request for a
reset the same, and mail afterwards. Let the mail to confirm an address say who signed up with it:
who confirms somebody else's sign-up gives them the address. Keep the heads of chains outside of the
account now and then.

The table: see `models`. Needs `pip install dynasafe`; `python -m accounts` runs it in memory.
"""
