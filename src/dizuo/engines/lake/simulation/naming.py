"""Names for a block of people, as places in the table of words: weighted by frequency, surnames handed down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dizuo.engines.lake.simulation.alphabet import Alphabet, Span, alphabet
from dizuo.engines.lake.simulation.dice import Dice, Flags, Floats, Ints
from dizuo.engines.lake.simulation.households import FOREIGN, Homes
from dizuo.engines.lake.simulation.text import Column, Days, join, take

# GB/T 3304-1991 codes with a rough share of a lower-Yangtze city's population, in parts per 50,000.
ETHNIC_SHARES: dict[str, int] = {
    "02": 60, "03": 80, "04": 15, "05": 12, "06": 160, "07": 60, "08": 80, "09": 40, "10": 25, "11": 70,
    "12": 30, "13": 25, "14": 25, "15": 90, "16": 12, "17": 8, "18": 12, "19": 8, "20": 3, "21": 3,
    "22": 6, "23": 5, "24": 4, "25": 3, "26": 5, "27": 4, "28": 3, "29": 2, "30": 3, "31": 3,
    "32": 5, "33": 4, "34": 2, "35": 2, "36": 3, "37": 6, "38": 2, "39": 2, "40": 2, "41": 2,
    "42": 2, "43": 2, "44": 2, "45": 2, "46": 2, "47": 2, "48": 2, "49": 2, "50": 2, "51": 2,
    "52": 2, "53": 2, "54": 2, "55": 2, "56": 2,
}  # fmt: skip

_DOTTED = np.array([2, 5, 17, 29, 41, 43, 44, 50])
_TIBETAN = 4
_RARE = 0.0015
_FORMER = 0.03


@dataclass(frozen=True, slots=True)
class Names:
    """Names as three places in the table of words. Shape: int64 arrays over persons."""

    a: Ints
    b: Ints
    c: Ints

    def at(self, rows: Ints) -> Names:
        return Names(self.a[rows], self.b[rows], self.c[rows])

    def instead(self, mask: Flags, other: Names) -> Names:
        """The other names where the mask is set."""
        return Names(
            np.where(mask, other.a, self.a), np.where(mask, other.b, self.b), np.where(mask, other.c, self.c)
        )

    def written(self) -> Column:
        """The names as text."""
        words = alphabet().words
        return join(take(words, self.a), take(words, self.b), take(words, self.c))


def _from(span: Span, dice: Dice, salt: str, rows: Ints) -> Ints:
    return span.start + dice.below(salt, rows, span.size)


def named(dice: Dice, homes: Homes, birth: Days) -> tuple[Names, Names, Flags, Ints]:
    """Names, former names (曾用名) with who has one, and ethnic codes (GB/T 3304; 0 for foreigners)."""
    table = alphabet()
    rows = np.arange(len(birth), dtype=np.int64)
    ethnic = _ethnic(dice, homes)
    years = birth.astype("datetime64[Y]").astype(np.int64) + 1970
    surname = table.surnames.start + dice.pick("surname", rows, table.surname_weights)
    # Handed down in order of generations: old couples first, their children, then the children's children.
    for _ in range(3):
        has = homes.father >= 0
        surname = np.where(has, surname[np.maximum(homes.father, 0)], surname)
    alone = (homes.father < 0) & (homes.mother >= 0)
    surname = np.where(alone, surname[np.maximum(homes.mother, 0)], surname)
    given = _given(dice, rows, homes.sex, years, table)
    names = Names(surname, given.b, given.c)
    twin = (homes.twin >= 0) & (homes.twin < rows)
    # Twins are often named alike: one character in common.
    names.b[twin] = names.b[homes.twin[twin]]
    alike = twin & (names.c == names.c[np.maximum(homes.twin, 0)])
    weights = table.female_weights
    names.c[alike] = table.given.start + dice.pick("twin", rows[alike], weights)
    dotted = np.isin(ethnic, _DOTTED) & dice.chance("dotted", rows, 0.85)
    first = np.where(
        homes.sex == 1, _from(table.dot_men, dice, "dot", rows), _from(table.dot_women, dice, "dot", rows)
    )
    dot = np.full(len(rows), table.dots.start)
    names = names.instead(dotted, Names(first, dot, _from(table.dot_fathers, dice, "dot-father", rows)))
    one, other = _from(table.tibetan, dice, "t1", rows), _from(table.tibetan, dice, "t2", rows)
    empty = np.full(len(rows), table.empty)
    names = names.instead(ethnic == _TIBETAN, Names(one, other, empty))
    latin = Names(_from(table.latin_families, dice, "l1", rows), np.full(len(rows), table.space),
                  _from(table.latin_given, dice, "l2", rows))  # fmt: skip
    names = names.instead(homes.kind == FOREIGN, latin)
    has_former = dice.chance("former", rows, _FORMER) & (ethnic == 1)
    was = _given(dice.within("former"), rows, homes.sex, years, table)
    moved = dice.chance("former-surname", rows, 0.15)
    earlier = table.surnames.start + dice.pick("surname-was", rows, table.surname_weights)
    former = Names(np.where(moved, earlier, names.a), was.b, was.c)
    return names, former, has_former, ethnic


def _ethnic(dice: Dice, homes: Homes) -> Ints:
    """Peoples by household, for mixed marriages by person."""
    weights: Floats = np.cumsum([50_000 - sum(ETHNIC_SHARES.values()), *ETHNIC_SHARES.values()])
    rows = np.arange(len(homes.role), dtype=np.int64)
    codes = dice.pick("ethnic", homes.household, weights) + 1
    own = dice.pick("own-ethnic", rows, weights) + 1
    codes = np.where((homes.father < 0) & (homes.mother < 0) & dice.chance("mixed", rows, 0.5), own, codes)
    return np.where(homes.kind == FOREIGN, 0, codes)


def _given(dice: Dice, rows: Ints, sex: Ints, years: Ints, table: Alphabet) -> Names:
    """Given names: two characters or one, old fashions for the old, now and then a rare character."""

    def character(salt: str) -> Ints:
        men = dice.pick(salt, rows, table.male_weights)
        women = dice.pick(salt, rows, table.female_weights)
        return table.given.start + np.where(sex == 1, men, women)

    first, second = character("g1"), character("g2")
    first = np.where(dice.chance("rare", rows, _RARE), _from(table.rare, dice, "rare-which", rows), first)
    single = dice.unit("single", rows) < np.where((years > 1965) & (years < 2000), 0.3, 0.12)
    second = np.where(single | (second == first), table.empty, second)
    old = (years < 1968) & dice.chance("old-fashion", rows, 0.35)
    word = np.where(
        sex == 1, _from(table.old_men, dice, "old", rows), _from(table.old_women, dice, "old", rows)
    )
    return Names(rows, np.where(old, word, first), np.where(old, table.empty, second))
