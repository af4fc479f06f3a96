"""What was measured, and what could not be."""
import math
import statistics

from agreement import odd_ones
from contenders import Failure


class Findings:
    """`values` is {title: {contender's name: [numbers]}}, `units` {title: unit}; with "MB/s" more
    is better, else less. `reasons` is {title: {contender's name: why there is nothing}}."""

    def __init__(self, report):
        self.report = report
        self.values, self.units, self.reasons = {}, {}, {}
        self.notes = []
        self.wrong = []  # answers that differ, which no benchmark may pass over

    def row(self, title, unit="ms"):
        self.values.setdefault(title, {})
        self.units[title] = unit

    def add(self, title, contender, value):
        self.values[title].setdefault(contender.name, []).append(value)

    def strike(self, title, contender, reason):
        """Takes the contender out of the row."""
        self.values[title].pop(contender.name, None)
        self.reasons.setdefault(title, {})[contender.name] = str(reason)
        self.report(f"  {title}: {contender.name}: {reason}")

    def out(self, title, contender):
        return contender.name in self.reasons.get(title, {})

    def ask(self, title, contender, sql):
        """(milliseconds, rows), or None if it is out of the row, now or before."""
        if self.out(title, contender):
            return None
        try:
            return contender.run(sql)
        except Failure as failure:
            contender.place.check()
            return self.strike(title, contender, failure)

    def compare(self, title, contenders, answers):
        """Strikes those of {contender's name: rows} that say something else than most."""
        for name, most in odd_ones(answers).items():
            contender = next(c for c in contenders if c.name == name)
            self.wrong.append(f"{title}: {name} and {most} disagree")
            self.strike(title, contender, f"its rows are not those of {most}: "
                        f"{str(answers[name][:1])[:120]}… and {str(answers[most][:1])[:120]}…")

    def interleave(self, contenders, queries, rounds, begun, warming=1):
        """Every round runs each of {title: statement} on each contender, in turn; `warming` rounds
        before them do not count. Their rows are compared in every round."""
        for title in queries:
            self.row(title)
        for turn in range(1 - warming, rounds + 1):
            for title, sql in queries.items():
                answers = {}
                for contender in contenders:
                    if (found := self.ask(title, contender, sql)) is None:
                        continue
                    answers[contender.name] = found[1]
                    if turn > 0:
                        self.add(title, contender, found[0])
                self.compare(title, contenders, answers)
            self.report(f"{begun}: " + (f"round {turn} of {rounds}" if turn > 0 else "warming up"))

    def median(self, title, name):
        found = self.values[title].get(name)
        return statistics.median(found) if found else None


def percentile(numbers, share):
    """The least of them that is not exceeded by `share` of all."""
    ordered = sorted(numbers)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
