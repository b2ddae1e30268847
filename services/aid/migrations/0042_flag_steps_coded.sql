INSERT INTO flag_steps_coded (flag, ordinal, at_us, civil_day, actor, actor_name, act, detail, evidence)
SELECT flag, ordinal, at_us, civil_day, actor, actor_name,
    CASE act WHEN 'OPENED' THEN 1 WHEN 'EVIDENCE_CHANGED' THEN 2 WHEN 'REOPENED' THEN 3 WHEN 'CLOSED' THEN 4
        WHEN 'EXPLAINED' THEN 11 WHEN 'CONFIRMED' THEN 12 WHEN 'CLEARED' THEN 13 END,
    detail, evidence FROM flag_steps;
