CREATE TABLE place (place_no INTEGER PRIMARY KEY, street TEXT, town TEXT);
CREATE TABLE patron (patron_no INTEGER PRIMARY KEY, mail VARCHAR(60), full_name VARCHAR(40), home_address BIGINT, invited_by INTEGER);
CREATE TABLE purse (purse_no VARCHAR(10) PRIMARY KEY, digits TEXT, billed_to INTEGER);
CREATE TABLE basket (basket_no VARCHAR(10) PRIMARY KEY, patron_no INTEGER, paid_with VARCHAR(10), sent_to INTEGER, last_note INTEGER);
CREATE TABLE note (note_no INTEGER PRIMARY KEY, basket_no VARCHAR(10), words TEXT);
CREATE TABLE hand (hand_no INTEGER PRIMARY KEY, mail TEXT, lives_at INTEGER);
CREATE TABLE gift (gift_no INTEGER PRIMARY KEY, giver INTEGER, taker INTEGER, card_text TEXT);
CREATE TABLE complaint (complaint_no INTEGER PRIMARY KEY, mail TEXT, second_mail TEXT, text TEXT);
CREATE TABLE secret_recipe (recipe_no INTEGER PRIMARY KEY, words TEXT);
INSERT INTO place VALUES (1, 'street of ada', 'town'), (2, 'street of ben', 'town'), (3, 'street of the hands', 'town'), (4, 'house of cyd and dov', 'town'), (5, 'picnic of ada', 'lake'), (6, 'picnic of both', 'lake');
INSERT INTO patron VALUES (1, 'Ada@bakery.test', 'Ada', 1, NULL), (2, 'ben@bakery.test', 'Ben', 2, 1), (3, 'cyd@bakery.test', 'Cyd', 4, NULL), (4, 'dov@bakery.test', 'Dov', 4, NULL), (5, 'twin@bakery.test', 'Eve', NULL, NULL), (6, 'twin@bakery.test', 'Fay', NULL, NULL);
INSERT INTO purse VALUES ('p-ada', 'digits of ada', 1), ('p-ben', 'digits of ben', 1), ('p-both', 'digits of both', 2), ('p-none', 'digits of nobody', 2);
INSERT INTO basket VALUES ('b1', 1, 'p-ada', 1, 1), ('b2', 1, 'p-both', 2, NULL), ('b3', 2, 'p-ben', 2, 3), ('b4', 2, 'p-both', 6, NULL), ('b5', 1, 'p-none', 5, 4), ('b6', NULL, 'p-none', 6, NULL), ('b7', 1, 'p-ada', 6, NULL);
INSERT INTO note VALUES (1, 'b1', 'note of ada'), (2, 'b1', 'second of ada'), (3, 'b3', 'note of ben'), (4, 'b-gone', 'orphan note'), (5, 'b6', 'note of nobody');
INSERT INTO hand VALUES (1, 'worker@bakery.test', 3), (2, 'ada@bakery.test', 1);
INSERT INTO gift VALUES (1, 1, 2, 'from ada to ben'), (2, 2, 3, 'from ben to cyd');
INSERT INTO complaint VALUES (1, 'ADA@bakery.test', 'ada-two@bakery.test', 'too salty'), (2, 'ben@bakery.test', NULL, 'of ben'), (3, 'ben@bakery.test', 'ada@bakery.test', 'of ben and ada'), (4, 'twin@bakery.test', NULL, 'of a twin'), (5, NULL, NULL, 'orphan complaint');
INSERT INTO secret_recipe VALUES (1, 'flour')
