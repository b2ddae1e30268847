DROP VIEW award_claims;
