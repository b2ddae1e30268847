DROP TABLE enrollment_periods;
