DROP INDEX award_entries_once;
