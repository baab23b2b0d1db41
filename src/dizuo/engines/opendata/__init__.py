"""Public data opened to everybody (公共数据开放): datasets, a gate before release, search, standards for machines."""
