"""What the tags of an event file count: most count steps, others epochs, tokens or seconds, whose falls say nothing of the run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

FEWEST = 3  # points of a tag before it is said to count something else
TIES = 20  # tags with the most points that are looked at


class Axes:
    """How far each tag got, and how many points it has, over all restarts."""

    def __init__(self, known: Mapping[str, tuple[int, int]]) -> None:
        self.seen = {tag: (peak, count) for tag, (peak, count) in known.items()}

    def add(self, tag: str, peak: int, count: int) -> None:
        """More points of a tag."""
        before, counted = self.seen.get(tag, (0, 0))
        self.seen[tag] = (max(before, peak, key=abs), counted + count)

    def with_those(self, more: Iterable[tuple[str, int, int]]) -> Axes:
        """These and more points, as a new object."""
        found = Axes(self.seen)
        for tag, peak, count in more:
            found.add(tag, peak, count)
        return found

    def alike(self, tag: str, other: str) -> bool:
        """Whether two tags may count the same thing; one with few points may."""
        (a, n), (b, m) = self.seen.get(tag, (0, 0)), self.seen.get(other, (0, 0))
        low, high = sorted((abs(a), abs(b)))
        return min(n, m) < FEWEST or high <= 3 * low + 3

    def main(self) -> str:
        """A tag that counts steps: of those with the most points, the one that most others are like."""
        most = max(count for _, count in self.seen.values())
        found = [tag for tag, (_, count) in self.seen.items() if count == most][:TIES]
        return max(found, key=lambda tag: sum(self.alike(tag, other) for other in self.seen))

    def mixed(self) -> bool:
        """Whether some tag gets much less or more far than the main one; what was only logged at the beginning does not count."""
        if not self.seen:
            return False
        reached = abs(self.seen[self.main()][0])
        return any(peak and not min(abs(peak), reached) * 3 + 3 >= max(abs(peak), reached) for peak, _ in self.seen.values())
