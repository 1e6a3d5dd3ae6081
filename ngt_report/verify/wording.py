"""How sentences plan, hedge and compare: the wording by which a number is no claim, or one about two runs."""

from __future__ import annotations

import re

# what is planned, advised, or said of others is no claim about the data; HEDGED may be one, when it names run and quantity
PLANNED = re.compile(
    r"(?i)\b(?:next|todo|plan(?:ned|s)?|future|will|would|should|try|avoid|consider|recommend\w*|suggest\w*|expect\w*|paper|literature"
    r"|published|prior work|previous work|elsewhere|assum\w+|hypothe\w+|goal|aim\w*|target|estimat\w+|projected|standard practice"
    r"|typical\w*|usual\w*|convention\w*|for instance|optional\w*|contradict\w*|disagree\w*"
    r"|no runs? (?:has|have|had|was|were)|(?:two|several|different|conflicting) values"
    r"|but (?:gives?|says?|has|have|names?|prints?|reports?)|where the (?:run|log|logs|table|checkpoint) (?:has|have|says?|prints?))\b"
)
HEDGED = re.compile(
    r"(?i)\b(?:could|may|might|if|unless|e\.g|example|reported|default(?! (?:run|variant|model|config))|can be"
    r"|first run|compile|instead of|not)\b"
)
HEDGED_HEADING = re.compile(
    r"(?i)\b(?:next steps?|future|todo|plans?|how to|usage|install\w*|set ?up|quick ?start|requirements|constraints|tips|pitfalls|gotchas"
    r"|goals|background|related work|references|commands?|launch|data prep)\b"
)
BASE = re.compile(
    r"(?i)\b(?:vs\.?|versus|than|against|over|compared (?:to|with)|relative to|from|below|above|behind|of|beats?|beating|beaten by"
    r"|outperform(?:s|ed|ing)?|surpass(?:es|ed)?|trail(?:s|ed|ing)?|lag(?:s|ged|ging)?|loses to|lost to|improves? (?:on|upon))\s+"
    r"(?:that of\s+|those of\s+|the\s+|a\s+|our\s+|its\s+|tuned\s+|original\s+|plain\s+)*[`\"'(*]*$"
)
BASE_OF = re.compile(  # compared to 4.56 for the
    r"(?i)\b(?:vs\.?|versus|than|against|compared (?:to|with)|relative to)\s+~?\d[^;]{0,24}\s(?:for|of|in|with|by)\s+(?:the\s+)?[`\"'(*]*$"
)
COMPARES = re.compile(
    r"(?i)\b(?:lower|higher|less|more|better|worse|faster|slower|longer|shorter|cheaper|smaller|larger|above|below|behind|ahead|improve\w*|gain|gains"
    r"|reduction|increase|decrease|overhead|drop|penalty|slow-?down|speed-?up|longer|delta|difference|gap|margin|advantage|quicker|fewer)\b|Δ|δ"
)
LESS = re.compile(r"(?i)lower|higher|better|worse|faster|slower|longer|shorter|smaller|larger|above|below|behind|ahead|quicker")
SLOWER = re.compile(r"(?i)\b(?:slower|faster|slow-?down|speed-?up|quicker|longer wall|step[- ]time|per step|overhead)\b")
AFTERWARDS = re.compile(r"(?i)\s*(?:\(\s*|(?:for|by|in|from|with|on)\s+)(?:for\s+)?(?:the\s+)?[`\"'(*]*$")
OTHERS = re.compile(r"(?i)\b(?:others?|remaining|the rest)\b")
DECLARES = re.compile(r"(?i)\W*(?:the\s+)?baseline(?:\s+of\s+[\d,]+\s+steps)?\s*(?:\bis\b|\bwas\b|:|=)[\s`*]*")
THE_REST = re.compile(
    r"(?i)(?P<than>\b(?:than|over|against|beats?|from|to)\s+)?(?:\ball\s+)?(?:\bthe\s+)?(?:\bothers\b|\bthe rest\b"
    r"|\b(?:other|remaining)\s+(?:\d+\s+)?(?:runs?|variants?|models?|configs?|configurations?|experiments?)\b)"
)
PRONOUN = re.compile(r"(?i)\W*(?:it|its|this|that|they|their|there)\b")
HELD = re.compile(r"(?i)\b(?:vs\.?|versus|against|than|compared (?:to|with))\s*~?\s*$")
NEAR = re.compile(
    r"(?i)\b(?:by|loses?|lost|trails?|trailing|costs?|gains?|wins?|saves?)\s+(?:about |around |roughly |only |just )?\W{0,3}~?$"
)
FOUND = re.compile(r"(?i)\b(?:best|optimal|optimum|winning)\b|\bfound\b")  # said of values that runs have
VARIES = re.compile(r"(?i)\bdiffers?\b|\bvar(?:y|ies|ied)\b")
TRAINED = re.compile(r"(?i)^\W*(?:(?:best|baseline|compared set|runs|seeds) of )?(?=[\d,]+k? steps\b)")  # a label: 1,500 steps (14 runs)
HORIZON = re.compile(r"(?i)\b(?:throughput|horizon|steps?\s?/\s?s)")
FINAL = re.compile(r"(?i)\b(?:final|last)\b(?!.*\b(?:checkpoint|saved?)\b)[^,;.)\d]{0,20}(?:, (?:at )?step )?$")
OF_TOTAL = re.compile(r"(?i)^\W*[\d,]+k? steps\W*\(\s*$")  # 1,500 steps (14 runs
GAP = re.compile(r"(?i)[Δδ]\s*[=:]?\s*$|\b(?:gap|difference|delta|margin)\b[^.;]{0,80}\b(?:is|was|of)\s+~?$")
REACHED = re.compile(r"(?i)\b(?:reached|completed|finished|ended|ends|ran to|trained to|trained for|stopped)\b[^.;]{0,30}$")
COUNTS = re.compile(r"(?i)^\W*(?:total|number of)\b|^\W*(?:experiments?|runs|seeds|rounds|trials)\W{0,4}\d")
P_VALUE = re.compile(r"(?i)(?<![\w-])p(?:[ -]value)?\s*(?:of|is|[=:<>≤≥])\s*$")
BEST = re.compile(r"(?i)\b(?:best|lowest|minimum|min|top|optimal|final best)\b")
TOTAL = re.compile(r"(?i)\b(?:total|overall|altogether|in all|combined|sum)\b")
