-- The view of claims is made anew, with what a month comes to.
DROP VIEW award_claims;
