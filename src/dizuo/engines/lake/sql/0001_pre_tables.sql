-- Departments' deliveries: what came, from whom, what was taken and what was not. Contents live in files by hash.

CREATE SCHEMA IF NOT EXISTS lake;
REVOKE ALL ON SCHEMA lake FROM PUBLIC;
GRANT USAGE ON SCHEMA lake TO dizuo_loader, dizuo_app;
