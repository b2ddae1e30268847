-- What was cleared before, and closed since without another step: its evidence is still the flag's. 11 is life::State::Cleared, 51
-- Closed; 13 is life::Step::Cleared.
UPDATE flags SET cleared_digest = evidence_digest, cleared_version = evidence_version
WHERE state = 11
   OR (state = 51 AND EXISTS (SELECT 1 FROM flag_steps p WHERE p.flag = flags.flag AND p.ordinal = flags.steps - 2 AND p.act = 13));
