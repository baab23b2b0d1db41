"""Quality by department, and the five base registers' self-assessment."""

from __future__ import annotations

from starlette.responses import Response

from dizuo.engines.cases import corrections_by_source
from dizuo.engines.lake import sources_seen
from dizuo.engines.registers import holdings
from dizuo.web import WebRequest, answer

from .views_quality import QualityMaker


async def _maker(request: WebRequest) -> QualityMaker:
    words = request.shell.templates(request.door).words[request.lang]
    seen = await sources_seen(request.dizuo.pool)
    return QualityMaker(request.dizuo.city, request.lang, words, request.shell.now().date(), seen)


async def quality(request: WebRequest) -> Response:
    """Every department: what it sends back and forth, how late, how many errors people reported."""
    maker = await _maker(request)
    return answer(
        request, "quality.html", maker.departments(await corrections_by_source(request.dizuo.cases))
    )


async def assessment(request: WebRequest) -> Response:
    """The five base registers against the same questions."""
    maker = await _maker(request)
    corrections = await corrections_by_source(request.dizuo.cases)
    return answer(
        request, "assessment.html", maker.assessment(await holdings(request.dizuo.pool), corrections)
    )
