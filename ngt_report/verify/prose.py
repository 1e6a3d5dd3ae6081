"""What the numbers of a sentence claim: a quantity said of a run, a difference, a step, a setting or a count."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from ngt_report.verify import numbers
from ngt_report.verify.comparisons import compared
from ngt_report.verify.effects import effect
from ngt_report.verify.phrases import Link, attach
from ngt_report.verify.recompute import Options, measure, spread
from ngt_report.verify.relations import METHOD
from ngt_report.verify.said import Said, in_range, is_part, n_of_time, of_another, take_apart, unless_a_name
from ngt_report.verify.subjects import BASELINE, Mention, Runs
from ngt_report.verify.terms import AT, Term
from ngt_report.verify.verdict import MATCH, UNDECIDABLE, Outcome, agrees, hold
from ngt_report.verify.wording import (
    AFTERWARDS,
    BASE,
    BASE_OF,
    BEST,
    COMPARES,
    COUNTS,
    FINAL,
    FOUND,
    GAP,
    HEDGED_HEADING,
    HELD,
    HORIZON,
    LESS,
    NEAR,
    OF_TOTAL,
    OTHERS,
    P_VALUE,
    PRONOUN,
    REACHED,
    SLOWER,
    THE_REST,
    TOTAL,
    TRAINED,
    VARIES,
)

if TYPE_CHECKING:
    from ngt_report.verify.claims import World
    from ngt_report.verify.document import Prose, Text
    from ngt_report.verify.evidence import Value
    from ngt_report.verify.numbers import Number


def check_prose(block: Prose, world: World) -> list[tuple[Text, Number, Outcome]]:
    """A verdict on every number of a paragraph, a heading or a list item."""
    setting = world.setting(block.context)
    away = any(HEDGED_HEADING.search(h.plain) for h in block.context.headings)
    out: list[tuple[Text, Number, Outcome]] = []
    previous: Mention | None = None
    for sentence in block.sentences():
        found = numbers.find(sentence.plain)
        said = take_apart(sentence.plain, found, world, setting, away)
        reader = _Reader(said, world, block, previous)
        if not found or re.fullmatch(r"\W*\d+(?:\.\d+)*[.):]?\W*", sentence.plain):
            previous = reader.subject() or previous
            continue
        out += [(sentence, number, unless_a_name(sentence.plain, number, outcome, world)) for number, outcome in reader.outcomes()]
        previous = reader.subject() or previous
    return out


class _Reader:
    def __init__(self, said: Said, world: World, block: Prose, previous: Mention | None) -> None:
        self.said, self.world, self.block, self.heading = said, world, block, block.kind == "heading"
        self.previous = previous if PRONOUN.match(said.text) else None
        self.steps = [m.span("a") if m["a"] else m.span("b") for m in AT.finditer(said.text)]
        at_steps = {n.start for n in said.numbers if any(s <= n.start < e for s, e in self.steps)}
        self.links = attach(said.text, said.numbers, said.terms, [(m.start, m.end) for m in said.mentions], at_steps)

    def outcomes(self) -> list[tuple[Number, Outcome]]:
        """A verdict on every number of the sentence."""
        return [(link.number, self._outcome(self._in_percent(self._spread(link, i)), i)) for i, link in enumerate(self.links)]

    def _in_percent(self, link: Link) -> Link:
        """In a sentence about accuracy alone a bare per cent is one: `above resmlp (61.6%)`."""
        measured = [t for t in self.said.terms if "/" in t.quantity and t.end <= link.number.start]
        bare = link.term is None and link.number.kind == "percent" and not link.number.sign
        if not bare or not measured or not measured[-1].quantity.endswith("/accuracy"):
            return link
        if LESS.match(self.said.text[link.number.end :].lstrip(" `*)")):
            return link
        return Link(link.number, measured[-1], bool(re.search(r"\(\s*$", self.said.text[: link.number.start])))

    def _spread(self, link: Link, i: int) -> Link:
        """The number behind a ± is a standard deviation of the quantity before it."""
        before = self.links[i - 1] if i else None
        if before and before.term and re.fullmatch(r"\s?(?:±|\+/-)\s?", self.said.between(before.number.end, link.number.start)):
            return Link(link.number, replace(before.term, stat="std"), before.tight)
        return link

    def _outcome(self, link: Link, i: int) -> Outcome:
        claim = f"{link.term.text.strip()}" if link.term else "a number"
        if (own := effect(self.said, link, self.world)) is not None and not self.said.planned:
            return own
        if self.said.planned or self.said.hedged and not (link.tight and self._own_mention(link.number)):
            return Outcome(UNDECIDABLE, claim, note="a plan, or said of something else than these runs")
        if P_VALUE.search(self.said.text[: link.number.start]) and not (link.term and link.term.is_setting):
            return self._tested(link)
        if self._is_step(link):
            return self._step(link)
        if self._is_comparison(link):
            return self._comparison(link)
        if link.term is None:
            return Outcome(UNDECIDABLE, claim, note="the sentence does not say of which quantity it is")
        if link.term.quantity == "step" or n_of_time(link.number):
            return Outcome(UNDECIDABLE, claim, note="the sentence does not say what this number is")
        if link.term.quantity == "n":
            return self._count(link)
        return self._value(link, i)

    # -- who ----------------------------------------------------------------------------------------------------------------
    def _own_mention(self, number: Number) -> Mention | None:
        """The runs that a number is said of: named before it, nearest first, else right after it."""
        before = [m for m in self.said.mentions if m.end <= number.start and not of_another(self.said.text, m, number)]
        done = [m for m in self._bases(False) if any(m.end <= n.start and n.end <= number.start for n in self.said.numbers)]
        before = [m for m in before if m not in done] or before  # what an earlier number is held against has no part in this one
        if HELD.search(self.said.text[: number.start]):
            return Mention(number.start, number.start, self.world.baseline(self.said.setting), 1, text="the baseline")
        after = next((m for m in self.said.mentions if m.start >= number.end), None)
        if after is not None and AFTERWARDS.fullmatch(self._unsaid(number.end, after.start)):
            gap = self.said.between(before[-1].end, number.start) if before else ""
            if not before or re.search(r"[,;)]|\band\b", gap):
                return self._joined(after)
        return self._joined(before[-1]) if before else self.previous

    def subject(self) -> Mention | None:
        """What the sentence is about: the first runs that it names and holds against nothing."""
        bases = self._bases()
        return next((self._joined(m) for m in self.said.mentions if m not in bases), None) or self.previous

    def _unsaid(self, start: int, end: int) -> str:
        """The words between two places but for quantities."""
        text = self.said.text
        for term in self.said.terms:
            if start <= term.start and term.end <= end:
                text = text[: term.start] + " " * (term.end - term.start) + text[term.end :]
        return text[start:end]

    def _joined(self, mention: Mention) -> Mention:
        """A mention with those right beside it: `Elementwise/sigmoid`, `ngt (no_radius)`."""
        runs = mention.runs
        for other in self.said.mentions:
            gap = self.said.between(min(other.end, mention.end), max(other.start, mention.start))
            if other is not mention and len(gap) <= 12 and re.fullmatch(r"\W{0,3}(?:(?:variant|run|model|gate|gating)\W{0,4})?", gap):
                runs = runs & other.runs or runs
        return replace(mention, runs=runs)

    def _runs(self, mention: Mention | None, but: Term | None = None) -> Runs:
        """The runs of a mention where it stands; without one, those that the sentence's surroundings are about."""
        if mention is None and OTHERS.search(self.said.text):
            named = frozenset(r for m in self.said.mentions for r in m.runs)
            return self.world.subjects.current(self.world.around(self.said.setting) - named)
        if mention is None:
            return self.world.subjects.current(self._constrained(self.world.around(self.said.setting), but))
        found = self.world.meant(mention, self.said.setting)
        return self._constrained(found, but)

    def _constrained(self, runs: Runs, but: Term | None = None) -> Runs:
        """Narrowed by settings that the sentence itself says: `@ LR=0.0036`."""
        if label := TRAINED.match(self.said.text):
            totals = [n for n in self.said.numbers if n.start == label.end()]
            runs = frozenset(r for n in totals for r in self.world.having("n_steps", n)) & runs or runs
        for link in self.links:
            if but is not None and link.term and link.term.quantity == but.quantity:
                continue
            if link.term and link.tight and (link.term.is_setting or link.term.quantity == "n_steps") and not link.number.bound:
                runs = runs & self.world.having(link.term.quantity, link.number) or runs
        return runs

    def _bases(self, roles: bool = True) -> list[Mention]:
        """Mentions that something is held against; where nothing says so, those that are called a baseline."""
        marked = [
            m
            for m in self.said.mentions
            if (BASE.search(self.said.text[: m.start]) or BASE_OF.search(self.said.text[: m.start]))
            and not re.search(r"(?i)\bof\s+\W*$", self.said.text[: m.start])
        ]
        return marked or [m for m in self.said.mentions if roles and m.text.lower() in BASELINE]

    # -- what ---------------------------------------------------------------------------------------------------------------
    def _is_step(self, link: Link) -> bool:
        n = link.number
        if n.kind != "plain" or n.value != int(n.value) or link.term and link.term.is_setting and link.tight:
            return False
        if re.search(r"(?i)\b(?:every|each|per|first|last|another|for)\s+(?:~\s?)?(?:\d[\d,]*\s?(?:-|to)\s?)?$", self.said.text[: n.start]):
            return False
        if any(s <= n.start + (n.text[:1] in "+-") < e for s, e in self.steps):
            return not (link.term and link.term.quantity in ("n_steps", "best_step", "last_step"))
        return bool(link.term and link.term.quantity == "step" and link.tight)

    def _step(self, link: Link) -> Outcome:
        mention = self._own_mention(link.number)
        runs = self._runs(mention)
        if not runs:
            return Outcome(UNDECIDABLE, "a step", note="the data has none of the runs that this is about")
        if (ends := self._ends_of_training(link, runs)) is not None:
            return ends
        if BEST.search(self.said.text) and mention is not None and len(runs) == 1:
            best = hold(link.number, [v for vs in measure(self.world.evidence, runs, "best_step").values() for v in vs], "the best step")
            if best.verdict == MATCH:
                return best
        if REACHED.search(self.said.text[: link.number.start]) or re.search(r"\d\s?/\s?$", self.said.text[: link.number.start]):
            last = [v for q in ("n_steps", "last_step") for v in measure(self.world.evidence, runs, q, "each")["each"]]
            return hold(link.number, last, "the last step of " + self.world.who(runs))
        return self.world.step_exists(link.number, runs)

    def _ends_of_training(self, link: Link, runs: Runs) -> Outcome | None:
        """A step that is said to be a total, the last one, or an end of what throughput is measured over."""
        n, before = link.number, self.said.text[: link.number.start]
        if (label := TRAINED.match(self.said.text)) and label.end() == n.start:
            return self.world.total_said(n)
        if FINAL.search(before):
            last = measure(self.world.evidence, runs, "last_step", "each")["each"]
            return hold(n, last, "the last step of " + self.world.who(runs))
        edge = self._edge(link)
        above = " ".join(h.plain for h in self.block.context.headings[-1:])
        if edge and HORIZON.search(self.said.text + above) and (found := self.world.horizon(runs, edge)):
            return hold(n, found, "where the common horizon " + ("begins" if edge == "low" else "ends"))
        return None

    def _is_comparison(self, link: Link) -> bool:
        n = link.number
        accuracy = link.term is not None and link.term.quantity.endswith("/accuracy")
        if n.kind in ("ratio", "points") or n.kind == "percent" and not accuracy:
            return True
        if n.sign and (link.term is None or "/" in link.term.quantity or link.term.quantity in ("train_time", "steps_per_s", "s_per_step")):
            return True
        after = re.match(r"\W*(?:nats?\W+|loss\W+|points?\W+|ppl\W+|s\W+)?(\w+)", self.said.text[n.end :])
        return bool(
            link.term
            and link.term.stat == "delta"
            and "/" in link.term.quantity
            or after
            and LESS.fullmatch(after[1])
            or self._by_nats(link)
            or GAP.search(self.said.text[: n.start])
        )

    def _by_nats(self, link: Link) -> bool:
        """Whether a number is a difference in nats: `by 0.11 nats`, `loses 0.2 nats to`."""
        before, after = self.said.text[: link.number.start], self.said.text[link.number.end :]
        return link.number.kind == "plain" and bool(re.match(r"(?i)[\s`*]*nats?\b", after)) and bool(NEAR.search(before))

    def _comparison(self, link: Link) -> Outcome:
        n = link.number
        quantity = self._compared_quantity(link)
        claim = f"how {quantity or 'something'} compares"
        if quantity is None:
            return Outcome(UNDECIDABLE, claim, note="the sentence does not say what is compared")
        ours, theirs, said = self._sides(link)
        if not ours or not theirs or ours == theirs:
            return Outcome(UNDECIDABLE, claim, note="the sentence does not say what is held against what")
        who = f"{claim}: {self.world.who(ours)} against {self.world.who(theirs)}"
        values = self._differences(link, quantity, ours, theirs)
        if (
            n.kind == "percent" and quantity == "val/loss" and not link.tight
        ):  # per cent of what is not said: of the loss, or of its exponential
            values += self._differences(link, "val/perplexity", ours, theirs)
        outcome = hold(n, values, who)
        return self._certainly(outcome, replace(link, tight=self._clearly_compared(link, quantity)), said)

    def _tested(self, link: Link) -> Outcome:
        """A p-value is that of the report's test of the two sides."""
        ours, theirs, said = self._sides(link)
        values = [v for found in self.world.relations.tested(ours, theirs, "p").values() for v in found]
        outcome = hold(link.number, values, f"p of {self.world.who(ours)} against {self.world.who(theirs)}")
        return self._certainly(outcome, replace(link, tight=True), said and bool(METHOD.search(self.said.text)))

    def _clearly_compared(self, link: Link, quantity: str) -> bool:
        """Whether a number without a quantity right beside it can be a comparison of only one: Δ=+0.018, 5.8x slower."""
        if link.tight and link.term is not None and link.term.quantity == quantity:
            return True
        before, after = self.said.text[: link.number.start], self.said.text[link.number.end :]
        one = len({t.quantity for t in self.said.terms if "/" in t.quantity}) == 1
        nats = re.match(r"(?i)[\s`*]*nats?\b", after)
        if quantity == "val/loss" and (self._by_nats(link) or nats and LESS.match(after[nats.end() :].lstrip(" `*)"))):
            return True
        if SLOWER.match(after.lstrip(" -0123456789.x~")) and link.number.kind in ("ratio", "percent"):
            return True
        return one and bool(
            re.search(r"(?i)(?:[Δδ]|delta|difference|gap)\s*(?:of|is|=|:)?\s*~?$", before) or LESS.match(after.lstrip(" `*)"))
        )

    def _differences(self, link: Link, quantity: str, ours: Runs, theirs: Runs) -> list[Value]:
        n, term = link.number, link.term
        stat = term.stat if term and term.stat in ("best", "last") else ""
        step = self.said.setting.step if not stat and "/" in quantity else None
        step = self._step_said() or step
        first = self._sided(ours, quantity, stat, step)
        second = self._sided(theirs, quantity, stat, step)
        edge = self._edge(link)
        out = []
        for label in [k for k in first if k in second]:
            values = [v for a in first[label] for b in second[label] for v in compared(n, a, b, quantity)]
            if edge and values:
                values = [
                    (min if edge == "low" else max)(
                        (v for v in values if v.value >= 1 or n.kind != "ratio"), key=lambda v: v.value, default=values[0]
                    )
                ]
            out += values
        return out

    def _sided(self, runs: Runs, quantity: str, stat: str, step: int | None) -> Options:
        """Readings of one side: of a run or of seeds; of a set every run of it."""
        if self.world.one_group(runs):
            return measure(self.world.evidence, runs, quantity, stat, step, self.said.setting.n)
        chosen = self.world.of_size(runs, self.said.setting.n)
        if chosen is not None:
            return measure(self.world.evidence, chosen, quantity, stat, step)
        singles: Options = {}
        for run in sorted(runs):
            for label, values in measure(self.world.evidence, frozenset({run}), quantity, stat, step).items():
                singles.setdefault(label, []).extend(values[:1])
        return singles

    def _compared_quantity(self, link: Link) -> str | None:
        if (
            link.term is not None
            and (link.tight or link.term.stat == "delta")
            and not link.term.is_setting
            and link.term.quantity not in ("n", "step", "rank", "n_steps")
        ):
            return link.term.quantity
        near = self.said.text[max(0, link.number.start - 25) : link.number.end + 30]
        if SLOWER.search(near):
            return "s_per_step" if link.term is None or link.term.quantity not in ("train_time", "tokens_per_s") else link.term.quantity
        if re.search(r"(?i)wall-?\s?clock|longer", near):
            return "train_time"
        before = [t.quantity for t in self.said.terms if "/" in t.quantity and t.end <= link.number.start]
        named = before[-1:] or [t.quantity for t in (*self.said.terms, *self.said.setting.quantities) if "/" in t.quantity]
        if self._by_nats(link) or link.number.kind == "plain" and re.match(r"(?i)\s*nats?\b", self.said.text[link.number.end :]):
            return "val/loss"
        loss = "val/loss" if link.number.kind == "plain" and COMPARES.search(self.said.text) else None
        return named[0] if named else loss

    def _sides(self, link: Link) -> tuple[Runs, Runs, bool]:
        """What is compared, what it is held against, and whether that is said."""
        if (split := self._from_the_rest(link)) is not None:
            return (*split, True)
        bases = self._bases()
        mentions = [m for m in self.said.mentions if m not in bases]
        before = [m for m in mentions if m.end <= link.number.start]
        own = before[-1] if before else mentions[0] if mentions else None
        base, guessed = self._base(link, bases), False
        if base is None and len(mentions) == 2:
            own, base, guessed = mentions[1], mentions[0], True
        if base is None and not COMPARES.search(self.said.text) and link.number.kind == "percent":
            return frozenset(), frozenset(), False
        theirs = self._runs(base) if base is not None else self.world.baseline(self.said.setting)
        own = own or self.previous
        ours = self._runs(self._joined(own)) if own is not None else self.world.parent_runs(self.said.setting)
        if ours == theirs and base is None:  # `a reaches x, b has y: its loss is z lower`
            ours = next((found for m in reversed(before) if (found := self._runs(self._joined(m))) != theirs), ours)
        return ours, theirs, not guessed

    def _from_the_rest(self, link: Link) -> tuple[Runs, Runs] | None:
        """The sides of `the other 3 runs do 5-9 steps/s, NAME does 9.0 (1.0-1.8x slower)`, where one run is named."""
        rest = THE_REST.search(self.said.text[: link.number.start])
        if rest is None or len({m.runs for m in self.said.mentions}) != 1:
            return None
        named, others = self._runs(self.said.mentions[0]), self._runs(None)
        return (named, others) if rest["than"] else (others, named)

    def _base(self, link: Link, bases: list[Mention]) -> Mention | None:
        """What a number is held against: the next base, but `a beats b by 0.1` says it before."""
        said = [b for b in bases if b.end <= link.number.start]
        if said and re.fullmatch(
            r"[\s`*\"')(:,]*(?:by|with)?\s*(?:about |around |roughly |only |just )?\W{0,3}",
            self.said.between(said[-1].end, link.number.start),
        ):
            return said[-1]
        return next((b for b in bases if b.start >= link.number.end), bases[-1] if bases else None)

    def _step_said(self) -> int | None:
        return self.world.step(self.said.text)

    # -- values -------------------------------------------------------------------------------------------------------------
    def _edge(self, link: Link) -> str:
        """low or high: which end of a printed range the number is."""
        i = self.said.numbers.index(link.number)
        for j, name in ((i + 1, "low"), (i - 1, "high")):
            if 0 <= j < len(self.said.numbers):
                a, b = sorted((link.number, self.said.numbers[j]), key=lambda n: n.start)
                if re.fullmatch(r"\s?(?:-|to|\.\.|->|→)\s?(?:step\s)?", self.said.between(a.end, b.start)) and a.value < b.value:
                    return name
        return ""

    def _value(self, link: Link, i: int) -> Outcome:
        term, n = link.term, link.number
        assert term is not None
        mention = self._own_mention(n)
        runs = self._runs(mention, term if term.is_setting else None)
        claim = f"{term.stat + ' ' if term.stat else ''}{term.text.strip()} of {self.world.who(runs)}"
        if not runs:
            return Outcome(UNDECIDABLE, claim, note="the data has none of the runs that this is about")
        if term.is_setting or term.quantity in ("n_steps", "last_step", "best_step"):
            return self._setting(link, mention, runs, claim)
        if TOTAL.search(self.said.text) and term.quantity in ("tokens", "train_time") and (total := self.world.total(term.quantity, runs)):
            return hold(n, [total], f"the sum of {term.text.strip()}")
        if (edge := self._edge(link)) and len(runs) > 1:
            return self._certainly(
                hold(n, spread(self.world.evidence, runs, term, edge, self._step_said()), claim),
                link,
                mention is not None or bool(THE_REST.search(self.said.text[: n.start])),
            )
        step = self._near_step(n)
        options = self.world.readings(term, n, runs, step, self.said.setting.n, self.said.setting)
        explicit = mention is not None or runs != self.world.subjects.current(self.world.everyone)
        one = self.world.one_group(runs) or self.world.is_sweep(runs) or bool(BEST.search(self.said.text)) or in_range(self.said.text, n)
        clear = explicit and one  # of several runs a plain number is of the one that only the writer knows
        values = [v for label, values in options.items() for v in values if explicit or "best" in label and BEST.search(self.said.text)]
        return self._certainly(hold(n, values, claim), link, clear)

    def _near_step(self, number: Number) -> int | None:
        """The step that a sentence says of a value: right after it, or before it in the same clause."""
        if self._step_said() is None:
            return None
        for match in sorted(AT.finditer(self.said.text), key=lambda m: m.start() < number.start):
            between = self.said.between(*sorted((min(match.end(), number.end), max(match.start(), number.start))))
            other = re.search(r"\d", re.sub(r"\([^()]*\)", "", between)) if match.start() > number.start or match.start() > 3 else None
            if ";" not in between and not other:
                return self.world.step(match[0])
        return None

    def _setting(self, link: Link, mention: Mention | None, runs: Runs, claim: str) -> Outcome:
        """A setting is right when some of the runs have it; wrong when the sentence says which runs, and none of them has."""
        assert link.term is not None
        wide = runs if mention is None else self.world.widely(mention, self.said.setting)
        outcome = hold(link.number, values := self.world.setting_values(link.term.quantity, wide), claim)
        certain = link.tight and (mention is not None or bool(self.said.setting.constraints) or len({v.value for v in values}) == 1)
        if outcome.verdict == MATCH or certain and not self.heading:
            return outcome
        if self.heading and link.tight:
            return hold(link.number, self.world.setting_values(link.term.quantity, self.world.everyone), claim)
        if self._odd_one_out(link, values) or self._found(link):
            return hold(link.number, self.world.setting_values(link.term.quantity, self.world.everyone), claim)
        return replace(outcome, verdict=UNDECIDABLE, note=outcome.note or "which runs are meant is not said, and they differ in this")

    def _found(self, link: Link) -> bool:
        """Whether a setting's value is said to be one that runs have: `alpha differs: 0.1 (3 runs)`, `optimal: alpha = 0.1`."""
        if VARIES.search(self.said.text):
            return bool(re.search(r"(?i)\b(?:differs?|varies)\W*$", self.said.text[: link.number.start]))
        return link.tight and bool(link.term and link.term.is_setting and FOUND.search(self.said.text))

    def _odd_one_out(self, link: Link, values: list[Value]) -> bool:
        """Whether a number stands in a list of a setting's values (`lr in {1e-3, 2e-3, 4e-3}`) whose others the runs all have."""
        others = [o.number for o in self.links if o is not link and o.term is link.term]
        return len(others) > 1 and all(any(agrees(o, v.value) for v in values) for o in others)

    def _count(self, link: Link) -> Outcome:
        """How many runs, or seeds: certain of a file with many runs, of groups whose settings are said, and of all there are."""
        mention = self._own_mention(link.number)
        total = bool(TOTAL.search(self.said.text))
        runs = self._constrained(self.world.counted(mention, self.said.setting, total))
        claim = f"{link.term.text.strip() if link.term else 'count'} of {self.world.who(runs)}"
        seeds = bool(link.term and link.term.text.lower() == "seeds")
        part = is_part(self.said.text, link.number, self.world.labelled)
        title = self.heading and not self.block.context.headings and not part  # # NAME: 6 runs
        title = title or self.world.labelled and bool(OF_TOTAL.match(self.said.text[: link.number.start]))
        if (counts := self.world.counted_as(runs, seeds)) and title:  # with those that did not finish, and those that go on from others
            sets = (runs, self.world.everyone, self.world.subjects.current(self.world.everyone), frozenset(self.world.evidence.runs))
            counts += [replace(counts[0], value=len(r)) for r in (sets if self.heading else sets[:1])]
        outcome = hold(link.number, counts, claim)
        alone = bool(link.term and link.term.text.lower() == "n")
        of_some = runs != self.world.everyone
        narrowed = of_some and (self.world.is_sweep(runs) or seeds) and not alone or self._beside_setting(link)
        counted = of_some and bool(COUNTS.search(self.said.text))
        if outcome.verdict == MATCH or link.tight and not part and (narrowed or title or counted):
            return outcome
        return replace(outcome, verdict=UNDECIDABLE, note="how many are meant is not certain")

    def _beside_setting(self, link: Link) -> bool:
        """Whether a count stands in brackets behind the value of a setting: `subset 100 (2 runs)`."""
        i = self.links.index(link)
        of = self.links[i - 1] if i else link
        valued = of.term is not None and of.term.is_setting and of.tight
        return valued and self.said.between(of.number.end, link.number.start).strip() == "("

    def _certainly(self, outcome: Outcome, link: Link, explicit: bool) -> Outcome:
        """A mismatch only where quantity and run are beyond doubt."""
        if outcome.verdict == MATCH or outcome.value is None or link.tight and explicit:
            return outcome
        return replace(outcome, verdict=UNDECIDABLE, note="the sentence does not say clearly enough what this number is")
