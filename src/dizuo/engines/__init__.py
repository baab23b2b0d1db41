"""The engines (能力中台与数据中台): one noun each, one PostgreSQL schema each."""
