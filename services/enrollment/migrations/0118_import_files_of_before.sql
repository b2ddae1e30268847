INSERT INTO import_files (import, at_us, file_sealed) SELECT import, at_us, file_sealed FROM imports WHERE file_sealed IS NOT NULL;
