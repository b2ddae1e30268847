CREATE INDEX deputies_of_school ON deputies (school, deputy);
