CREATE TABLE profile (profile_no INTEGER PRIMARY KEY, about JSON);
CREATE TABLE stamp (stamp_no INTEGER PRIMARY KEY, basket_no VARCHAR(10), given_on DATE);
CREATE TABLE letter (mail VARCHAR(60), title TEXT, PRIMARY KEY (mail, title));
INSERT INTO profile VALUES (1, '{"patron": 1, "likes": ["rye"], "score": 9, "friends": [{"mail": "ben@bakery.test", "since": 2020}, {"mail": "ada@bakery.test", "since": 2019}]}'), (2, '{"patron": 2, "likes": ["likes of ben"]}'), (3, '{"likes": ["nobody"]}'), (4, NULL);
INSERT INTO stamp VALUES (1, 'b1', '2026-01-02'), (2, 'b3', '2026-01-03'), (3, 'b-gone', '2026-01-04'), (4, 'b2', '2026-01-05');
INSERT INTO letter VALUES ('ada@bakery.test', 'spring'), ('ben@bakery.test', 'of ben')
