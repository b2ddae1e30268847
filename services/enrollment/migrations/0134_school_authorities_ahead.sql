CREATE INDEX school_authorities_ahead ON school_authorities (from_day) WHERE NOT turned;
