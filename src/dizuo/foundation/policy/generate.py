"""From a city's declarations to Cedar policies, each with its law and one Chinese sentence."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from dizuo.foundation.blueprint.model import City, Item, Matter, Organisation, Post
from dizuo.foundation.policy.schema import SUPERVISE, WINDOW, literal, powers_of


class Rule(msgspec.Struct, frozen=True):
    """One policy: its id, legal basis, the sentence a person reads, and its Cedar text without annotations."""

    id: str
    law: str
    says: str
    body: str

    def text(self) -> str:
        return (
            f"@id({literal(self.id)})\n@law({literal(self.law)})\n@says({literal(self.says)})\n{self.body}\n"
        )


def _power(name: str) -> str:
    return f"Power::{literal(name)}"


def _holds(power: str) -> str:
    return f"principal.powers.contains({_power(power)})"


def _needs_power(power: str) -> str:
    return f"context has power && context.power == {_power(power)} && {_holds(power)}"


def rules_of(city: City) -> tuple[Rule, ...]:
    """Every rule in force for this city, the general ones first."""
    rules = [*_general(), *_supervision(city), *_corrections(city)]
    for matter in city.matters.values():
        for item in matter.items:
            rules += _item_rules(city, matter, item)
    return tuple(rules)


def _general() -> list[Rule]:
    return [
        Rule(
            "resident.own",
            "pipl-2021:13",
            "本人办自己的事，可以调取这件事需要的资料，查看进度。",
            'permit (principal is Resident, action in [Action::"read", Action::"view_case"], resource is Item)\n'
            'when { context.relation == "self" };',
        ),
        Rule(
            "resident.for",
            "pipl-2021:13",
            "法定代表人、监护人或受托人代办，可以调取这件事需要的资料，查看进度。",
            'permit (principal is Resident, action in [Action::"read", Action::"view_case"], resource is Item)\n'
            'when { context.relation == "for" };',
        ),
        Rule(
            "resident.submit",
            "online-service-2019:7",
            "本人或代办人可以提交申请。",
            'permit (principal is Resident, action == Action::"submit", resource is Matter)\n'
            'when { context.relation == "self" || context.relation == "for" };',
        ),
        Rule(
            "resident.consent",
            "pipl-2021:44",
            "被征求意见的一方可以表示同意或不同意，可以查看请他同意的内容。",
            'permit (principal is Resident, action == Action::"consent", resource is Matter)\n'
            'when { context.relation == "consenting" };',
        ),
        Rule(
            "window.serve",
            "online-service-2019:7",
            "窗口人员可以为到场的群众服务。",
            'permit (principal is Official, action == Action::"serve", resource is Matter)\n'
            f"when {{ {_holds(WINDOW)} && context.at in principal.place }};",
        ),
        Rule(
            "window.submit",
            "online-service-2019:7",
            "窗口人员可以替到场的群众提交申请、转达同意。",
            'permit (principal is Official, action in [Action::"submit", Action::"consent"], resource is Matter)\n'
            f'when {{ {_holds(WINDOW)} && context.relation == "served" }};',
        ),
        Rule(
            "window.read",
            "online-service-2019:7",
            "窗口人员为到场的群众办事，可以调取这件事需要的资料，查看进度。",
            'permit (principal is Official, action in [Action::"read", Action::"view_case"], resource is Item)\n'
            f'when {{ {_holds(WINDOW)} && context.relation == "served" }};',
        ),
        Rule(
            "bound.facts",
            "pipl-2021:34",
            "只能调取事项声明需要的资料，多一项也不行。",
            'forbid (principal, action in [Action::"read", Action::"write"], resource is Item)\n'
            "unless { resource.facts.containsAll(context.facts) };",
        ),
        Rule(
            "bound.purposes",
            "online-service-2019:7",
            "只能为事项声明的目的使用资料。",
            'forbid (principal, action in [Action::"read", Action::"write"], resource is Item)\n'
            "unless { resource.purposes.containsAll(context.purposes) };",
        ),
        Rule(
            "bound.case",
            "pipl-2021:34",
            "没有具体的办件，不能调取资料。",
            'forbid (principal, action in [Action::"read", Action::"view_case", Action::"supervise", Action::"follow_up",\n'
            '        Action::"decide", Action::"write"], resource is Item)\n'
            "unless { context.has_case };",
        ),
        Rule(
            "bound.source",
            "pipl-2021:46",
            "登记簿的数据只由数源部门更正。",
            'forbid (principal, action == Action::"correct", resource is Register)\n'
            "unless { resource.sources.contains(principal.unit) && resource.facts.containsAll(context.facts) };",
        ),
    ]


def _supervision(city: City) -> list[Rule]:
    """督办: only where the city has posts for it."""
    posts = holders(city, (SUPERVISE,))
    if not posts:
        return []
    followed: list[Rule] = []
    if city.bad_rating is not None:
        followed.append(
            Rule(
                "rating.follow_up",
                city.clocks[city.bad_rating.mend_clock].law.key,
                f"{who_holds(city, (SUPERVISE,))}核实和回访差评，看得到谁评的、评了什么，看不到申请资料，限本岗位管辖的地方。",
                'permit (principal is Official, action == Action::"follow_up", resource is Item)\n'
                f"when {{ {_holds(SUPERVISE)} && context.at in principal.place }};",
            )
        )
    return [
        Rule(
            "supervise",
            "licensing-2019:60",
            f"{who_holds(city, (SUPERVISE,))}督办超过承诺时间的事项，只看环节、时限和经办，不看个人资料，限本岗位管辖的地方。",
            'permit (principal is Official, action == Action::"supervise", resource is Item)\n'
            f"when {{ {_holds(SUPERVISE)} && context.at in principal.place }};",
        ),
        *followed,
    ]


def _corrections(city: City) -> list[Rule]:
    rules: list[Rule] = []
    for organisation in city.organisations.values():
        power = f"{organisation.id}.correct"
        posts = [post for post in organisation.posts if power in post.powers]
        if posts:
            rules.append(
                Rule(
                    f"correct.{organisation.id}",
                    "pipl-2021:46",
                    f"{organisation.name.zh}的{_posts(posts)}可以核对并更正本部门是数源的数据。",
                    'permit (principal is Official, action == Action::"correct", resource is Register)\n'
                    f"when {{ principal.unit == Unit::{literal(organisation.id)} && {_holds(power)} }};",
                )
            )
    return rules


def _item_rules(city: City, matter: Matter, item: Item) -> list[Rule]:
    resource = f'resource == Item::"{matter.id}.{item.id}"'
    law = item.basis[0].key if item.basis else matter.basis[0].key
    name = item.name.zh
    organisation = city.organisations.get(item.department)
    unit = organisation.name.zh if organisation else item.department
    rules = [
        Rule(
            f"{matter.id}.{item.id}.auto",
            law,
            f"{unit}的系统自动办理“{name}”，可以调取这一事项需要的资料，按规则办结，并登记结果。",
            'permit (principal is System,\n        action in [Action::"read", Action::"view_case", Action::"decide", Action::"write"],\n'
            f"        {resource})\nwhen {{ principal.unit == Unit::{literal(item.department)} }};",
        )
    ]
    powers = powers_of(item)
    if powers:
        rules.append(
            Rule(
                f"{matter.id}.{item.id}.duty",
                law,
                f"{who_holds(city, powers)}办理“{name}”，可以查看办件，调取这一事项需要的资料，限本岗位管辖的地方。",
                'permit (principal is Official, action in [Action::"read", Action::"view_case", Action::"write"],\n'
                f"        {resource})\n"
                f"when {{ principal.powers.containsAny([{', '.join(_power(p) for p in sorted(powers))}]) && context.at in principal.place }};",
            )
        )
    for power in powers:
        rules.append(
            Rule(
                f"{matter.id}.{item.id}.decide.{power}",
                law,
                f"{who_holds(city, (power,))}可以对“{name}”作出决定，限本岗位管辖的地方。",
                f'permit (principal is Official, action == Action::"decide", {resource})\n'
                f"when {{ {_needs_power(power)}"
                " && context.at in principal.place };",
            )
        )
    approve = f"{item.department}.approve"
    if approve not in powers and holders(city, (approve,)):
        rules.append(
            Rule(
                f"{matter.id}.{item.id}.approve",
                law,
                f"{who_holds(city, (approve,))}审批“{name}”的延期，可以查看办件。",
                'permit (principal is Official, action in [Action::"view_case", Action::"decide"],\n'
                f"        {resource})\n"
                f"when {{ {_holds(approve)} && context.at in principal.place\n"
                f'       && (action == Action::"view_case" || ({_needs_power(approve)})) }};',
            )
        )
    return rules


def holders(city: City, powers: Sequence[str]) -> list[tuple[Organisation, Post]]:
    """The posts of any department that hold one of the powers: a power may be entrusted to another department's post."""
    wanted = set(powers)
    return [
        (organisation, post)
        for organisation in city.organisations.values()
        for post in organisation.posts
        if wanted.intersection(post.powers)
    ]


def who_holds(city: City, powers: Sequence[str]) -> str:
    """The same in words: 市公安局户籍民警、区行政审批局综合审查岗."""
    found = [f"{organisation.short.zh}{post.name.zh}" for organisation, post in holders(city, powers)]
    return "、".join(found) or "有此职权的岗位"


def _posts(posts: Sequence[Post]) -> str:
    return "、".join(post.name.zh for post in posts)
