CREATE INDEX imports_listed ON imports (kind, school, import);
