-- Imports of departments' catalogue sheets (目录导入): what became of every row. Rows are only added.
CREATE TABLE exchange.catalogue_import (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at        timestamptz NOT NULL,
    by        text COLLATE "C" NOT NULL CHECK (by <> ''),
    filename  text NOT NULL,
    sha256    text COLLATE "C" NOT NULL,
    encoding  text COLLATE "C" NOT NULL,
    rows      integer NOT NULL,
    taken     integer NOT NULL,
    report    jsonb NOT NULL
);
GRANT SELECT, INSERT ON exchange.catalogue_import TO dizuo_app;
