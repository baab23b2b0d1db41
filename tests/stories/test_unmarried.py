"""Parents who are not married: the child has the same rights, the form asks nothing about it, an official looks."""

from __future__ import annotations

import pytest
from newborn import begin
from town import Town

_UNMARRIED = """
SELECT a.name, mo.data ->> 'name' AS mother, fa.data ->> 'name' AS father
FROM directory.account a
JOIN registers.identity i ON i.id = a.subject
JOIN registers.record b ON b.register = 'birth_certificate' AND b.superseded_at IS NULL
 AND i.number IN (b.data ->> 'mother_citizen_id', b.data ->> 'father_citizen_id')
JOIN registers.record mo ON mo.register = 'person' AND mo.key = b.data ->> 'mother_citizen_id'
JOIN registers.record fa ON fa.register = 'person' AND fa.key = b.data ->> 'father_citizen_id'
WHERE b.data ->> 'household_state' = '0' AND a.kind = 'resident' AND NOT EXISTS (
  SELECT 1 FROM registers.record m WHERE m.register = 'marriage'
  AND m.data ->> 'wife_citizen_id' = b.data ->> 'mother_citizen_id')
ORDER BY a.demo_order LIMIT 1
"""


@pytest.fixture(scope="module")
async def couple(town: Town) -> tuple[str, str, str]:
    """An unmarried couple of the invented city, of whom one may sign in."""
    row = await town.owner.fetchrow(_UNMARRIED)
    assert row is not None, "the invented city has no unmarried parents among those who sign in"
    return row["name"], row["mother"], row["father"]


async def test_the_form_is_the_same_and_asks_nothing_about_marriage(
    town: Town, couple: tuple[str, str, str]
) -> None:
    name, mother, father = couple
    who = await begin(town, name)
    facts = who.page.facts()
    assert facts["妈妈"] == mother
    assert facts["爸爸"] == father
    assert "婚姻登记" not in facts
    assert not [q for q in who.page.questions() if "婚" in q]
    assert any(q.endswith("户口落在谁那里？") for q in who.page.questions())
