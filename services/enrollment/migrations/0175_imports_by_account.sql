CREATE INDEX imports_by_account ON imports (account, at_us);
