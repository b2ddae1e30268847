DROP TABLE cancelled_changes;
