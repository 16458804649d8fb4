CREATE TABLE reader (no INTEGER PRIMARY KEY, mail TEXT, full_name TEXT, flat INTEGER);
CREATE TABLE flat (no INTEGER PRIMARY KEY, street TEXT);
CREATE TABLE purse (no INTEGER PRIMARY KEY, digits TEXT, reader_no INTEGER);
CREATE TABLE loan (no INTEGER PRIMARY KEY, reader_no INTEGER, fee_paid_with INTEGER, book_no INTEGER);
CREATE TABLE book (no INTEGER PRIMARY KEY, title TEXT);
CREATE TABLE clerk (no INTEGER PRIMARY KEY, mail TEXT, flat INTEGER);
CREATE TABLE question (no INTEGER PRIMARY KEY, asked_by TEXT, copy_to TEXT, clerk_no INTEGER, details TEXT);
CREATE TABLE reading_room (badge TEXT);
INSERT INTO reader VALUES (1, 'Mina@library.test', 'Mina Ahn', 1), (2, 'noah@library.test', 'Noah Oh', 2),
  (3, 'twin@library.test', 'Twin One', 1), (4, 'TWIN@library.test', 'Twin Two', NULL);
INSERT INTO flat VALUES (1, 'Mill Lane 1'), (2, 'Mill Lane 2'), (3, 'Staff House');
INSERT INTO purse VALUES (1, 'digits-of-mina', 1), (2, 'digits-of-noah', 2);
INSERT INTO loan VALUES (1, 1, 1, 1), (2, 1, 2, 2), (3, 2, 2, 1);
INSERT INTO book VALUES (1, 'Rivers'), (2, 'Bridges'), (3, 'Unread');
INSERT INTO clerk VALUES (1, 'clerk@library.test', 3), (2, 'noah@library.test', 2);
INSERT INTO question VALUES (1, 'mina@library.test', NULL, 1, '{"text": "when"}'),
  (2, 'mina@library.test', 'noah@library.test', 1, '{"text": "both"}'),
  (3, 'guest@else.test', NULL, 2, '{"text": "guest"}');
INSERT INTO reading_room VALUES ('badge-1');
