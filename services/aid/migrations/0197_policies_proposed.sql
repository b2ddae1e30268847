-- One policy is proposed at a time: what is signed next follows what its writer read.
CREATE UNIQUE INDEX policies_proposed ON policies (state) WHERE state = 1;
