"""How a department writes a person or an enterprise down: what is right, with the slips of its clerks and systems.

A pen belongs to the rows of one mention in one source. Each method gives a column and notes what went wrong, so that
the truth knows every slip. A slip that would leave the text as it was is not noted.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dizuo.engines.lake.simulation import text
from dizuo.engines.lake.simulation.alphabet import alphabet
from dizuo.engines.lake.simulation.dice import Dice, Flags, Ints
from dizuo.engines.lake.simulation.firms import CAN_MISHEAR, Firms
from dizuo.engines.lake.simulation.households import FOREIGN
from dizuo.engines.lake.simulation.naming import Names
from dizuo.engines.lake.simulation.numbers import fifteen, passports
from dizuo.engines.lake.simulation.people import People
from dizuo.engines.lake.simulation.places import Places
from dizuo.engines.lake.simulation.rates import KINDS, TRAITS, Rates
from dizuo.engines.lake.simulation.text import Column, Days, Digits

Marks = NDArray[np.uint64]
_BIT = {kind: np.uint64(1 << n) for n, kind in enumerate(KINDS)}
_TRAIT = {trait: np.uint64(1 << n) for n, trait in enumerate(TRAITS)}


class Pen:
    """Writes the rows numbered `rows`; in rows marked `right` earlier slips have been corrected."""

    def __init__(self, dice: Dice, rates: Rates, rows: Ints, right: Flags | None = None) -> None:
        self.dice = dice
        self.rates = rates
        self.rows = rows
        self.errors: Marks = np.zeros(len(rows), np.uint64)
        self.traits: Marks = np.zeros(len(rows), np.uint64)
        self._wrong: Flags = np.ones(len(rows), np.bool_) if right is None else ~right

    def hit(self, kind: str, among: Flags | None = None) -> Flags:
        """The rows where this slip happens."""
        mask = self.dice.chance(kind, self.rows, float(getattr(self.rates, kind))) & self._wrong
        return mask if among is None else mask & among

    def note(self, kind: str, mask: Flags) -> None:
        """Remember a slip."""
        self.errors[mask] |= _BIT[kind]

    def trait(self, kind: str, mask: Flags) -> None:
        """Remember what makes a row hard."""
        self.traits[mask] |= _TRAIT[kind]

    def _one_of(self, salt: str, kinds: tuple[str, ...]) -> dict[str, Flags]:
        """Slips that exclude each other."""
        throw = np.where(self._wrong, self.dice.unit(salt, self.rows), 2.0)
        masks: dict[str, Flags] = {}
        low = 0.0
        for kind in kinds:
            high = low + float(getattr(self.rates, kind))
            masks[kind] = (throw >= low) & (throw < high)
            low = high
        return masks

    def name(self, people: People, who: Ints) -> Column:
        """姓名 of the persons."""
        table = alphabet()
        names = people.names.at(who)
        former = self.hit("former_name", people.has_former[who])
        names = names.instead(former, people.former.at(who))
        self.note("former_name", former)
        foreign = people.kind[who] == FOREIGN
        dotted = (names.b >= table.dots.start) & (names.b < table.dots.start + table.dots.size)
        rare = (names.b >= table.rare.start) & (names.b < table.rare.start + table.rare.size)
        self.trait("twin", people.twin[who] >= 0)
        self.trait("foreigner", foreign)
        self.trait("dotted", dotted)
        self.trait("rare_character", rare)
        names = self._slipped(names, ~foreign & ~dotted & ~rare)
        variant = self.hit("dot_variant", dotted)
        other_dot = table.dots.start + 1 + self.dice.below("dot", self.rows, table.dots.size - 1)
        short = self.hit("name_truncated", dotted)
        lost = self.hit("rare_character_lost", rare)
        b = np.where(variant, other_dot, names.b)
        b = np.where(short, table.empty, np.where(lost, table.unknown, b))
        c = np.where(short, table.empty, names.c)
        self.note("dot_variant", variant & ~short)
        self.note("name_truncated", short)
        self.note("rare_character_lost", lost)
        written = Names(names.a, b, c).written()
        stray = self.hit("stray_space", ~foreign)
        written = text.put(written, stray, text.spaced(text.some(written, stray), 1))
        self.note("stray_space", stray)
        missing = self.hit("name_missing")
        self.note("name_missing", missing)
        return text.blank(written, missing)

    def _slipped(self, names: Names, able: Flags) -> Names:
        table = alphabet()
        masks = self._one_of("name", ("homophone", "similar_character", "traditional"))
        spot = self.dice.unit("spot", self.rows)
        # One slip in eight is in the surname; a single given name has one place only.
        second = names.c != table.empty
        place = np.where(spot < 0.125, 0, np.where((spot < 0.56) | ~second, 1, 2))
        parts = [names.a, names.b, names.c]
        for n, part in enumerate(parts):
            here = able & (place == n)
            sound = table.homophone(self.dice, self.rows, part)
            parts[n] = np.where(masks["homophone"] & here, sound, parts[n])
            parts[n] = np.where(masks["similar_character"] & here, table.similar[part], parts[n])
            parts[n] = np.where(masks["traditional"] & able, table.traditional[part], parts[n])
        changed = (parts[0] != names.a) | (parts[1] != names.b) | (parts[2] != names.c)
        for kind, mask in masks.items():
            self.note(kind, mask & changed)
        return Names(*parts)

    def citizen(self, people: People, who: Ints, without: Flags | None = None) -> Column:
        """证件号码: citizen numbers, passports for foreigners; null for `without` (no number yet)."""
        numbers = people.citizen[who]
        kin = np.where(people.mother[who] >= 0, people.mother[who], people.spouse[who])
        of_kin = self.hit("id_of_kin", kin >= 0)
        numbers = np.where(of_kin[:, None], people.citizen[np.maximum(kin, 0)], numbers)
        foreign = people.kind[who] == FOREIGN
        self.note("id_of_kin", of_kin & ~foreign)
        numbers, slipped = self._mistyped(numbers, ~foreign & ~of_kin)
        written = text.ascii_rows(numbers)
        old = self.hit("id_15_digits", people.fifteen[who] & ~slipped & ~of_kin & ~foreign)
        written = text.put(written, old, text.ascii_rows(fifteen(numbers[old])))
        self.note("id_15_digits", old)
        lower = self.hit("id_lower_case", (numbers[:, 17] == 88) & ~old & ~foreign)
        written = text.put(written, lower, text.replaced(text.some(written, lower), "X", "x"))
        self.note("id_lower_case", lower)
        wide = self.hit("id_full_width", ~foreign)
        written = text.put(written, wide, text.widened(text.some(written, wide)))
        self.note("id_full_width", wide)
        stray = self.hit("id_spaced", ~foreign & ~wide)
        written = text.put(written, stray, text.spaced(text.some(written, stray), 6))
        self.note("id_spaced", stray)
        written = text.put(written, foreign, passports(people.number[who][foreign]))
        missing = self.hit("id_missing")
        if without is not None:
            missing |= without
        self.errors[missing] &= ~self._id_bits()
        self.note("id_missing", missing)
        return text.blank(written, missing)

    @staticmethod
    def _id_bits() -> np.uint64:
        bits = np.uint64(0)
        for kind in KINDS:
            if kind.startswith("id_"):
                bits |= _BIT[kind]
        return bits

    def _mistyped(self, numbers: Digits, able: Flags) -> tuple[Digits, Flags]:
        masks = self._one_of("id", ("id_transposed", "id_wrong_digit", "id_wrong_check"))
        numbers = numbers.copy()
        row = np.flatnonzero(masks["id_transposed"] & able)
        spot = 6 + self.dice.below("id-spot", self.rows[row], 10)
        left, right = numbers[row, spot].copy(), numbers[row, spot + 1].copy()
        numbers[row, spot], numbers[row, spot + 1] = right, left
        swapped = np.zeros(len(numbers), np.bool_)
        swapped[row] = left != right
        self.note("id_transposed", swapped)
        row = np.flatnonzero(masks["id_wrong_digit"] & able)
        spot = 6 + self.dice.below("id-spot", self.rows[row], 11)
        step = 1 + self.dice.below("id-step", self.rows[row], 9)
        numbers[row, spot] = (numbers[row, spot] - 48 + step) % 10 + 48
        wrong = masks["id_wrong_digit"] & able
        self.note("id_wrong_digit", wrong)
        check = masks["id_wrong_check"] & able
        row = np.flatnonzero(check)
        last = np.where(numbers[row, 17] == 88, 10, numbers[row, 17].astype(np.int64) - 48)
        fresh = (last + 1 + self.dice.below("id-check", self.rows[row], 9)) % 10
        numbers[row, 17] = np.where(fresh == last, (fresh + 1) % 10, fresh) + 48
        self.note("id_wrong_check", check)
        return numbers, swapped | wrong | check

    def birth(self, people: People, who: Ints) -> Days:
        """出生日期, day and month now and then exchanged."""
        days = people.birth[who]
        months = days.astype("datetime64[M]")
        month = (months - days.astype("datetime64[Y]")).astype(np.int64) + 1
        day = (days - months).astype(np.int64) + 1
        swap = self.hit("birth_swapped", (day <= 12) & (day != month))
        # Where day and month are exchanged the day names the month; elsewhere the sum is not used.
        exchanged = days.astype("datetime64[Y]").astype(np.int64) * 12 + day - 1
        other = text.later(exchanged.astype("datetime64[M]"), month - 1)
        self.note("birth_swapped", swap)
        return np.where(swap, other, days)

    def sex(self, people: People, who: Ints, words: tuple[str, str]) -> Column:
        """性别 in the source's own words for men and women."""
        wrong = self.hit("sex_wrong")
        self.note("sex_wrong", wrong)
        return text.choose(words, np.where(wrong, 2 - people.sex[who], people.sex[who] - 1))

    def phone(self, people: People, who: Ints) -> Column:
        """电话: the present number, an old one, another's, or none."""
        now, before = people.phone[who], people.old_phone[who]
        old = self.hit("phone_old", (before != now) & (before > 0))
        self.note("phone_old", old)
        number = np.where(old, before, now)
        shared = self.hit("phone_shared")
        # Agents and shops leave their own number for their customers.
        number = np.where(
            shared, people.phone[self.dice.below("agent", self.rows, min(40, len(people)))], number
        )
        self.note("phone_shared", shared & (number != now))
        missing = self.hit("phone_missing") | (number == 0)
        self.note("phone_missing", missing)
        written = text.padded(np.maximum(number, 0), 11)
        stray = self.hit("phone_spaced")
        written = text.put(written, stray, text.spaced(text.some(written, stray), 3))
        self.note("phone_spaced", stray & ~missing)
        return text.blank(written, missing)

    def address(
        self, people: People, who: Ints, places: Places, styles: tuple[float, ...], *, hukou: bool = False
    ) -> Column:
        """地址 in free text; `styles` are the shares of the ways of writing, FULL to ROAD."""
        now = people.hukou_address[who] if hukou else people.address[who]
        old = self.hit("address_old")
        self.note("address_old", old)
        at = np.where(old, people.old_address[who], now)
        style = self.dice.pick("style", self.rows, np.cumsum(styles))
        missing = self.hit("address_missing")
        self.note("address_missing", missing)
        return text.blank(places.written(people.addresses, at, style), missing)

    def firm(self, firms: Firms, which: Ints) -> Column:
        """名称 of enterprises."""
        former = self.hit("firm_name_former", firms.has_former[which])
        was, now = firms.was[:, 0], firms.mark[:, 0]
        mark = np.where(former, was[which], now[which])
        slipped = self.hit("firm_name_homophone", CAN_MISHEAR[mark])
        short = self.hit("firm_name_short")
        brackets = self.hit("firm_name_brackets", ~short)
        for kind, mask in (("firm_name_former", former), ("firm_name_homophone", slipped),
                           ("firm_name_short", short), ("firm_name_brackets", brackets)):  # fmt: skip
            self.note(kind, mask)
        return firms.names(which, former, slipped, short, brackets)

    def uscc(self, firms: Firms, which: Ints) -> Column:
        """统一社会信用代码 of enterprises."""
        codes = firms.code[which].copy()
        wrong = self.hit("uscc_wrong_digit")
        row = np.flatnonzero(wrong)
        spot = 2 + self.dice.below("uscc-spot", self.rows[row], 6)
        codes[row, spot] = (
            codes[row, spot] - 48 + 1 + self.dice.below("uscc-step", self.rows[row], 9)
        ) % 10 + 48
        missing = self.hit("uscc_missing")
        self.note("uscc_wrong_digit", wrong & ~missing)
        self.note("uscc_missing", missing)
        return text.blank(text.ascii_rows(codes), missing)
