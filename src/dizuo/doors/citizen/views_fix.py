"""The page of a 补正: what is asked, the questions again with what was answered, or what was sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from dizuo.engines.cases import FixChange, FixForm, PlannedQuestion, Upload, takes_files
from dizuo.foundation.blueprint.citing import law_text
from dizuo.foundation.blueprint.model import City
from dizuo.foundation.kernel.saying import said_in
from dizuo.web import human_size
from dizuo.web.format import moment
from dizuo.web.words import fill

from .declared import listed, pick, title_said
from .form_facts import LineView, QuestionView
from .question_field import question_field
from .views_matter import Texts

FILE = "file-"


class FixQuestion(msgspec.Struct, frozen=True):
    """One question put again: why, and what was answered before."""

    ask: QuestionView
    why: list[str]
    was: list[str]


class FileView(msgspec.Struct, frozen=True):
    """One file that is kept or was sent."""

    id: int
    name: str
    size: str
    href: str


class PaperView(msgspec.Struct, frozen=True):
    """One line of the request that may be answered with files, and the files that are kept for it."""

    id: str
    label: str
    hint: str
    error: str
    kept: list[FileView]


class FixPage(msgspec.Struct, frozen=True):
    """The whole page. ``open`` False shows what was sent; ``stale`` is the sentence after a page that was too old."""

    number: str
    case_title: str
    action: str
    item: str
    department: str
    title: str
    says: str
    wants: list[str]
    reason: str
    laws: list[str]
    until: str
    open: bool
    questions: list[FixQuestion]
    notes: list[str]
    seen: str
    answer: str
    answer_label: str
    answer_hint: str
    error: str
    sure_error: str
    errors: list[tuple[str, str]]
    stale: str
    kept: str
    papers: list[PaperView]
    sent: list[LineView]
    files: list[FileView]
    served: str


class FixTyped(msgspec.Struct, frozen=True):
    """What was typed into the page, and what is wrong with it: errors by question, ``file-`` and its line, ``answer`` or
    ``sure``; ``kept`` when only files were sent."""

    answers: Mapping[str, str]
    words: str
    errors: Mapping[str, str]
    stale: str = ""
    kept: bool = False


class FixMaker:
    """Words one fix request for its applicant."""

    def __init__(self, city: City, form: FixForm, lang: str, words: Texts) -> None:
        self.city = city
        self.form = form
        self.lang = lang
        self.words = words
        self.w = words["fix"]

    def page(self, typed: FixTyped | None = None) -> FixPage:
        """The page as first opened, or with what was typed and its errors."""
        form, w = self.form, self.w
        errors: Mapping[str, str] = typed.errors if typed is not None else {}
        wrong = {name: said_in(says, self.lang) for name, says in errors.items()}
        questions = [self._question(members, typed, wrong) for members in _groups(form.questions)]
        ids = [question.id for question in form.questions]
        papers = self._papers(wrong) if form.open else []
        plain = (*(paper.id for paper in papers), "answer", "sure")
        summary = [(f"q-{name}", wrong[name]) for name in ids if name in wrong]
        summary += [(name, wrong[name]) for name in plain if name in wrong]
        # What is wrong with a field that is not on the page is still told.
        summary += [("answer", says) for name, says in wrong.items() if name not in (*ids, *plain)]
        return FixPage(
            number=form.number,
            case_title=title_said(self.city, form.title, self.lang),
            action=f"/cases/{form.number}/fix/{form.item}",
            item=pick(form.item_name, self.lang),
            department=pick(form.department, self.lang),
            title=w["title"] if form.open or form.answered_at is None else w["sent_title"],
            says=self._says(),
            wants=[] if form.open else [self._want(want) for want in form.wants],
            reason=form.reason,
            laws=self._laws(),
            until=moment(form.until, self.lang),
            open=form.open,
            questions=questions,
            notes=self._notes(),
            seen=form.seen,
            answer=form.answer if typed is None else typed.words,
            answer_label=w["more" if questions else "answer"],
            answer_hint=w["more_hint" if questions else "hint"],
            error=wrong.get("answer", ""),
            sure_error=wrong.get("sure", ""),
            errors=summary,
            stale=typed.stale if typed is not None else "",
            kept=fill(w["kept_says"], until=moment(form.until, self.lang)) if typed and typed.kept else "",
            papers=papers,
            sent=[self._change(change) for change in form.changes],
            files=[self._file(one) for one in form.uploads if one.sent_at is not None],
            served=fill(
                w["served"], window=form.served.window, clerk=form.served.clerk, proof=form.served.proof
            )
            if form.served is not None
            else "",
        )

    def _papers(self, wrong: Mapping[str, str]) -> list[PaperView]:
        """A place for files for every line that is not a question of the form."""
        found: list[PaperView] = []
        for n, want in enumerate(self.form.wants, 1):
            if not takes_files(want):
                continue
            hint = self.w["paper_hint" if want.get("material") else "paper_free"]
            kept = [self._file(one) for one in self.form.uploads if one.want == n]
            name = f"{FILE}{n}"
            found.append(PaperView(name, self._want(want), hint, wrong.get(name, ""), kept))
        return found

    def _file(self, one: Upload) -> FileView:
        href = f"/cases/{self.form.number}/fix/{self.form.item}/files/{one.id}"
        return FileView(one.id, one.name, human_size(one.size), href)

    def _says(self) -> str:
        form, w = self.form, self.w
        if form.open:
            return w["says"]
        if form.answered_at is not None:
            return fill(w["sent_says"], when=moment(form.answered_at, self.lang))
        return w["closed_says"]

    def _want(self, want: Mapping[str, str]) -> str:
        """What is wanted in the reader's language where the city has it, and why as the official wrote it."""
        matter = self.city.matters[self.form.matter]
        item = next(item for item in matter.items if item.id == self.form.item)
        named = {question.id: question.asks for question in matter.questions}
        papers = {material.id: material.name for material in item.materials}
        words = named.get(want.get("question", "")) or papers.get(want.get("material", ""))
        what = want.get("what", "") if words is None else pick(words, self.lang)
        return " · ".join(part for part in (what, want.get("why", "")) if part)

    def _laws(self) -> list[str]:
        keys = dict.fromkeys(want["law"] for want in self.form.wants if want.get("law"))
        return [law_text(self.city, key, self.lang) for key in keys]

    def _notes(self) -> list[str]:
        found: list[str] = []
        if self.form.agreed:
            found.append(self.w["agreed"])
        if self.form.shared:
            names = listed([pick(name, self.lang) for name in self.form.shared], self.lang)
            found.append(fill(self.w["shared"], items=names))
        return found

    def _change(self, change: FixChange) -> LineView:
        was = fill(self.w["was"], value=pick(change.was, self.lang) or self.w["none"])
        if change.kept:
            names = listed([pick(name, self.lang) for name in change.kept], self.lang)
            was += fill(self.w["kept"], items=names)
        return LineView(
            pick(change.asks, self.lang).rstrip("？?"), pick(change.now, self.lang) or self.w["none"], was, ""
        )

    def _question(
        self, members: Sequence[PlannedQuestion], typed: FixTyped | None, wrong: Mapping[str, str]
    ) -> FixQuestion:
        answers: Mapping[str, str] = typed.answers if typed is not None else {}
        fields = [
            question_field(
                question,
                self.lang,
                self.words["form"],
                error=wrong.get(question.id, ""),
                value=answers.get(question.id, question.value or ""),
            )
            for question in members
        ]
        main = next((question for question in members if question.type != "choice"), members[0])
        ids = {question.id for question in members}
        present = self.form.present
        several = len([name for name in ids if name in present]) > 1
        was = [
            (f"{pick(q.asks, self.lang).rstrip('？?')} " if several else "")
            + fill(self.w["was"], value=pick(present[q.id], self.lang))
            for q in members
            if q.id in present
        ]
        return FixQuestion(
            QuestionView(
                number=main.number,
                label=pick(main.asks, self.lang),
                reason="",
                error=any(field.error for field in fields),
                fields=fields,
            ),
            [want["why"] for want in self.form.wants if want.get("question") in ids and want.get("why")],
            was,
        )


def _groups(questions: Sequence[PlannedQuestion]) -> list[list[PlannedQuestion]]:
    """Questions of one number stand under one legend."""
    found: dict[int, list[PlannedQuestion]] = {}
    for question in questions:
        found.setdefault(question.number, []).append(question)
    return list(found.values())
