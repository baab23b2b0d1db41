"""The controlled words of DCAT-AP (EU authority tables) and what the city's own words are there.

A code of an authority table is a fact of the standard. Where a city word has no equal, nothing is said: a wrong code would
be found by machines that trust it.
"""

from __future__ import annotations

from typing import Final

AUTHORITY: Final = "http://publications.europa.eu/resource/authority/"
IANA: Final = "http://www.iana.org/assignments/media-types/"
HVD_SCHEME: Final = "http://data.europa.eu/bna/asd487ae75"

PREFIXES: Final = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "dcatap": "http://data.europa.eu/r5r/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "adms": "http://www.w3.org/ns/adms#",
    "prov": "http://www.w3.org/ns/prov#",
    "spdx": "http://spdx.org/rdf/terms#",
    "eli": "http://data.europa.eu/eli/ontology#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "geo": "http://www.opengis.net/ont/geosparql#",
    "hydra": "http://www.w3.org/ns/hydra/core#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
}

FREQUENCIES: Final = {
    "实时": "UPDATE_CONT",
    "每日": "DAILY",
    "每周": "WEEKLY",
    "每月": "MONTHLY",
    "每季度": "QUARTERLY",
    "每半年": "ANNUAL_2",
    "每年": "ANNUAL",
    "不定期": "IRREG",
    "不更新": "NEVER",
    "realtime": "UPDATE_CONT",
    "daily": "DAILY",
    "weekly": "WEEKLY",
    "monthly": "MONTHLY",
    "quarterly": "QUARTERLY",
    "half_yearly": "ANNUAL_2",
    "semiannual": "ANNUAL_2",
    "yearly": "ANNUAL",
    "annual": "ANNUAL",
    "irregular": "IRREG",
    "never": "NEVER",
    "none": "NEVER",
}
"""Update cycle (更新周期) → code of the frequency table."""

ACCESS: Final = {"public": "PUBLIC", "restricted": "RESTRICTED", "closed": "NON_PUBLIC"}

THEMES: Final = {
    "business": "ECON",
    "transport": "TRAN",
    "institutions": "GOVE",
    "culture": "EDUC",
    "health": "HEAL",
    "education": "EDUC",
    "livelihood": "SOCI",
    "environment": "ENVI",
    "housing": "REGI",
    "safety": "JUST",
    "agriculture": "AGRI",
    "employment": "SOCI",
    "finance": "ECON",
    "credit": "ECON",
    "公共服务": "GOVE",
    "健康保障": "HEAL",
    "卫生健康": "HEAL",
    "医疗卫生": "HEAL",
    "社会保障": "SOCI",
    "社保就业": "SOCI",
    "民生服务": "SOCI",
    "食品药品安全": "HEAL",
    "安全生产": "ECON",
    "市场监管": "ECON",
    "价格监管": "ECON",
    "经济发展": "ECON",
    "经济建设": "ECON",
    "商业": "ECON",
    "财税金融": "ECON",
    "能源安全": "ENER",
    "信用体系": "ECON",
    "信用服务": "ECON",
    "城乡建设": "REGI",
    "城建住房": "REGI",
    "社区治理": "REGI",
    "人口": "SOCI",
    "法人": "ECON",
    "自然资源和空间地理": "ENVI",
    "地理空间": "REGI",
    "生态环保": "ENVI",
    "生态环境": "ENVI",
    "环境资源": "ENVI",
    "应急维稳": "JUST",
    "公共安全": "JUST",
    "法律服务": "JUST",
    "教育科技": "EDUC",
    "教育文化": "EDUC",
    "文化旅游": "EDUC",
    "科技创新": "TECH",
    "道路交通": "TRAN",
    "交通运输": "TRAN",
    "交通": "TRAN",
    "农业农村": "AGRI",
    "机构团体": "GOVE",
    "政务": "GOVE",
}
"""Field (领域) as declared, or as others write it in Chinese → code of the data-theme table."""

THEME_NAMES: Final = {
    "AGRI": ("农业、渔业、林业和食品", "Agriculture, fisheries, forestry and food"),
    "ECON": ("经济和财政", "Economy and finance"),
    "EDUC": ("教育、文化和体育", "Education, culture and sport"),
    "ENER": ("能源", "Energy"),
    "ENVI": ("环境", "Environment"),
    "GOVE": ("政府和公共部门", "Government and public sector"),
    "HEAL": ("健康", "Health"),
    "INTR": ("国际问题", "International issues"),
    "JUST": ("司法、法律制度和公共安全", "Justice, legal system and public safety"),
    "REGI": ("地区和城市", "Regions and cities"),
    "SOCI": ("人口和社会", "Population and society"),
    "TECH": ("科学技术", "Science and technology"),
    "TRAN": ("交通", "Transport"),
}

FILE_TYPES: Final = {
    "csv": "CSV",
    "xlsx": "XLSX",
    "xls": "XLS",
    "json": "JSON",
    "jsonl": "JSON",
    "geojson": "GEOJSON",
    "parquet": "PARQUET",
    "xml": "XML",
    "pdf": "PDF",
    "zip": "ZIP",
    "html": "HTML",
    "txt": "TXT",
    "ttl": "RDF_TURTLE",
    "rdf": "RDF_XML",
    "jsonld": "JSON_LD",
    "kml": "KML",
    "shp": "SHP",
    "gpkg": "GPKG",
    "doc": "DOC",
    "docx": "DOCX",
}
"""File ending → code of the file-type table."""

MEDIA_TYPES: Final = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "xls": "application/vnd.ms-excel",
    "json": "application/json",
    "geojson": "application/geo+json",
    "parquet": "application/vnd.apache.parquet",
    "xml": "application/xml",
    "pdf": "application/pdf",
    "zip": "application/zip",
    "html": "text/html",
    "txt": "text/plain",
    "ttl": "text/turtle",
    "rdf": "application/rdf+xml",
    "jsonld": "application/ld+json",
}
"""File ending → registered media type."""

HVD: Final = {
    "geospatial": ("c_ac64a52d", "地理空间", "Geospatial"),
    "earth": ("c_dd313021", "地球观测与环境", "Earth observation and environment"),
    "meteorological": ("c_164e0bf5", "气象", "Meteorological"),
    "statistics": ("c_e1da4e07", "统计", "Statistics"),
    "companies": ("c_a9135398", "公司及其所有权", "Companies and company ownership"),
    "mobility": ("c_b79e35eb", "出行", "Mobility"),
}
"""Category of high-value datasets (Regulation (EU) 2023/138, annex) → its concept and names."""

LANGUAGES: Final = {"zh": "ZHO", "en": "ENG"}


def media_type_of(format: str, told: str = "") -> str:
    """The registered media type of a form, '' when none is known; what a publisher told counts when it has that shape."""
    kind = told.partition(";")[0].strip().lower()
    family, slash, rest = kind.partition("/")
    shaped = family in _FAMILIES and slash and rest and all(s.isalnum() or s in ".+-_" for s in rest)
    if shaped and kind.isascii():
        return kind
    return MEDIA_TYPES.get(format.lower().strip(". "), "")


_FAMILIES: Final = frozenset({"application", "audio", "font", "image", "model", "multipart", "text", "video"})
