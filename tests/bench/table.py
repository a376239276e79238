"""The table: a column for each system and one for the goal, Markdown."""


class Rows:
    """What one system's measures found, in the order in which they did."""

    def __init__(self):
        self.values = {}
        self.goals = {}

    def add(self, name, value, goal=""):
        self.values[name] = value
        self.goals[name] = goal


def ms(seconds):
    """2.31 ms, 23.1 ms, 231 ms: three digits say enough."""
    value = seconds * 1000
    return f"{value:,.2f} ms" if value < 10 else f"{value:,.1f} ms" if value < 100 else f"{value:,.0f} ms"


def pair(first, second):
    """Two times in one cell."""
    return f"{ms(first).removesuffix(' ms')} / {ms(second)}"


def table(results):
    """`results`: [(version, Rows)]."""
    names, goals = {}, {}
    for _, rows in results:
        names |= dict.fromkeys(rows.values)
        goals |= rows.goals
    lines = [["", *(version for version, _ in results), "goal"], ["---", *["---:"] * (len(results) + 1)]]
    lines += [[name, *(rows.values.get(name, "–") for _, rows in results), goals[name]] for name in names]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
