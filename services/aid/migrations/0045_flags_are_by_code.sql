ALTER TABLE flags_coded RENAME TO flags;
