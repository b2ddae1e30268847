CREATE INDEX take_outs_of_school ON take_outs (school, take_out);
