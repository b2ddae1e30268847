INSERT INTO flags_coded (flag, rule, subject, person_subject, entry, list, person, school, scheme, term, name, months, amount_fen, evidence, evidence_digest, evidence_version, cause, cause_text, state,
    holds, judged_position, judged_at_us, opened_at_us, steps)
SELECT flag, CASE rule WHEN 'NO_ENROLLMENT' THEN 1 WHEN 'NOT_YET_REGISTERED' THEN 2 WHEN 'NOT_VALID_IN_TERM' THEN 3 WHEN 'OTHER_SCHOOL' THEN 4
        WHEN 'IDENTITY_MISMATCH' THEN 5 WHEN 'IDENTITY_UNVERIFIED' THEN 6 WHEN 'DUPLICATE_AWARD' THEN 7 WHEN 'MISSING_AWARD' THEN 8 END,
    subject, person_subject, entry, list, person, school, scheme, term, name, months, amount_fen, evidence, evidence_digest, evidence_version, cause, cause_text,
    CASE state WHEN 'OPEN' THEN 1 WHEN 'EXPLAINED' THEN 2 WHEN 'CONFIRMED' THEN 3 WHEN 'CLEARED' THEN 11 WHEN 'CLOSED' THEN 51 END,
    holds, judged_position, judged_at_us, opened_at_us, steps FROM flags;
