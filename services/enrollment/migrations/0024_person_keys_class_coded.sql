UPDATE person_keys SET class_code = CASE id_class WHEN 'Resident' THEN 1 WHEN 'ResidencePermit' THEN 2 WHEN 'ForeignPermanent' THEN 3
    WHEN 'HongKongMacau' THEN 4 WHEN 'Taiwan' THEN 5 WHEN 'Passport' THEN 6 WHEN 'Other' THEN 7 END;
