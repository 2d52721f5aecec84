"""Words and phrases that this project does not use, each with what to write instead."""

from __future__ import annotations

import re

BANNED = {
    r"mend(s|ed|ing)?": "fix, repair",
    r"told": "reported, says, knows, named",
    r"floors?(?!\()": "layer",
    r"what it is that": "what",
    r"(that|as) there (is|are) (not|none)": "unknown, missing",
    r"dies? of": "raises",
    r"hangs? on": "depends on, belongs to",
    r"(on|in) the(ir)? way of": "suppresses, blocks",
    r"(was|are|is) on (its|their) way": "in progress",
    r"for (the|its) [\w ]*own sake": "on its own",
    r"stands? behind": "follows, is after",
    r"(is|are) kept by no": "has no limit",
    r"left to chance": "random",
    r"where an? \w+ is none": "if it is not a",
    r"knows? nothing of": "does not know",
    r"ends? of it": "limits",
    r"rightly": "correctly",
    r"whence|wherefore|thereof|hence": "so, from where",
    r"lest": "so that ... not",
    r"(the|this|that) (?-i:[a-z]+) that (all|they) are": "the common one",
    r"(may|can|could|must|to) be told": "reported, given",
    r"begins? anew|anew": "again, starts again",
    r"in doubt": "not sure",
    r"for ever": "without a limit, never released",
    r"(that|which|what) (is|are) (?-i:none)": "invalid, missing",
    r"(is|are) (?-i:none) (of|that)": "is not one of",
    r"the way to go on": "what to do next",
    r"(is|are) said (to|by)": "name who says it",
    r"(at )?a glance": "a quick check",
    r"(is|are) no (?-i:str|int|dict|JSON|HTTP|code|list)": "is not a",
    r"(is|are|was|were|be) had": "is missing, is found",
    r"knows? no": "does not have",
    r"hand(s|ed)? on": "forwards, passes",
    r"without a word": "without a warning, silently",
    r"silent where": "not reported if",
    r"where it is not there": "if it is missing",
    r"(after|for) so long": "after this time, for this long",
    r"the way to it": "the network to it",
    r"(on )?a thread of (its|their) own": "its own thread",
    r"says? what (became|has become) of": "reports the outcome of",
    r"as of (?=`)": "as in",
}
PATTERNS = {
    re.compile(rf"\b({words})\b", re.IGNORECASE): instead for words, instead in BANNED.items()
}
