-- How far each lane of a batch went. A lane that is ahead of the cursor tells that something broke off between the two: then the
-- source must know what the lane holds.
CREATE TABLE mirror_lanes (
    lane integer PRIMARY KEY,
    position bigint NOT NULL,
    change uuid NOT NULL
);
