-- Who is on a list.
CREATE INDEX omission_items_of_list ON omission_items (list);
