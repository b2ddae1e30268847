DROP INDEX award_entries_claims;
