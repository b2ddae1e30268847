UPDATE enrollments SET claimed_day = (SELECT b.submitted_day FROM submissions b WHERE b.submission = enrollments.submission) WHERE submission IS NOT NULL;
