CREATE INDEX class_confirmations_of_school ON class_confirmations (school, confirmation);
