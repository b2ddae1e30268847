-- Whether corrections left nothing of an entry: it claims nothing any more, and stays on its list as it was signed.
ALTER TABLE award_entries ADD COLUMN gone boolean NOT NULL DEFAULT false;
