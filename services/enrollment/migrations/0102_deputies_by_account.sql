CREATE INDEX deputies_by_account ON deputies (account, to_day);
