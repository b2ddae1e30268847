-- From which civil day a school takes nobody new into a major; none while it does.
ALTER TABLE school_majors ADD COLUMN ended_day date;
