-- The sample company's member database. The statements mean the same to SQLite and PostgreSQL.
CREATE TABLE member (
  member_id INTEGER PRIMARY KEY,
  name TEXT, birth_date DATE, gender TEXT, phone TEXT, email TEXT UNIQUE, nickname TEXT,
  language TEXT NOT NULL, status TEXT NOT NULL,
  joined_at TIMESTAMP WITH TIME ZONE NOT NULL, left_at TIMESTAMP WITH TIME ZONE
);
CREATE INDEX member_phone ON member (phone);
CREATE TABLE credential (
  member_id INTEGER PRIMARY KEY REFERENCES member,
  password_hash TEXT NOT NULL, changed_at TIMESTAMP WITH TIME ZONE NOT NULL
);
CREATE TABLE profile (
  member_id INTEGER PRIMARY KEY REFERENCES member,
  preferences TEXT, activity_area TEXT, shipping_address TEXT,
  kakao_id TEXT, instagram_id TEXT, facebook_id TEXT,
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL
);
CREATE TABLE payout_account (
  member_id INTEGER PRIMARY KEY REFERENCES member,
  bank_name TEXT NOT NULL, account_number TEXT NOT NULL, account_holder TEXT NOT NULL,
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL
);
CREATE TABLE member_consent (
  member_id INTEGER PRIMARY KEY REFERENCES member,
  terms_at TIMESTAMP WITH TIME ZONE NOT NULL, privacy_at TIMESTAMP WITH TIME ZONE NOT NULL,
  policy_version TEXT NOT NULL,
  marketing_email BOOLEAN NOT NULL, marketing_sms BOOLEAN NOT NULL,
  marketing_changed_at TIMESTAMP WITH TIME ZONE,
  third_party BOOLEAN NOT NULL, third_party_changed_at TIMESTAMP WITH TIME ZONE
);
CREATE TABLE mailing_list (
  member_id INTEGER PRIMARY KEY REFERENCES member,
  email TEXT NOT NULL, phone TEXT, nickname TEXT, added_at TIMESTAMP WITH TIME ZONE NOT NULL
);
CREATE TABLE content (
  content_id INTEGER PRIMARY KEY,
  member_id INTEGER NOT NULL REFERENCES member,
  title TEXT NOT NULL, kind TEXT NOT NULL, place TEXT,
  image_url TEXT NOT NULL, thumbnail_url TEXT NOT NULL,
  uploaded_at TIMESTAMP WITH TIME ZONE NOT NULL
);
CREATE INDEX content_member ON content (member_id);
CREATE TABLE sale_listing (
  listing_id INTEGER PRIMARY KEY,
  content_id INTEGER NOT NULL REFERENCES content,
  seller_nickname TEXT, seller_instagram TEXT, licence TEXT NOT NULL, price INTEGER NOT NULL,
  status TEXT NOT NULL, listed_at TIMESTAMP WITH TIME ZONE NOT NULL
);
CREATE INDEX sale_listing_content ON sale_listing (content_id);
CREATE TABLE content_sale (
  sale_id INTEGER PRIMARY KEY,
  content_title TEXT NOT NULL, licence TEXT NOT NULL, price INTEGER NOT NULL,
  sold_at TIMESTAMP WITH TIME ZONE NOT NULL,
  seller_id INTEGER NOT NULL REFERENCES member, seller_nickname TEXT, seller_instagram TEXT,
  buyer_id INTEGER NOT NULL REFERENCES member, buyer_name TEXT, buyer_email TEXT
);
CREATE INDEX content_sale_seller ON content_sale (seller_id);
CREATE INDEX content_sale_buyer ON content_sale (buyer_id);
CREATE TABLE payment_request (
  request_id INTEGER PRIMARY KEY,
  member_id INTEGER NOT NULL REFERENCES member,
  amount INTEGER NOT NULL, bank_name TEXT NOT NULL, account_number TEXT NOT NULL,
  account_holder TEXT NOT NULL, status TEXT NOT NULL,
  requested_at TIMESTAMP WITH TIME ZONE NOT NULL
);
CREATE INDEX payment_request_member ON payment_request (member_id);
CREATE TABLE vat_record (
  record_id INTEGER PRIMARY KEY,
  member_id INTEGER NOT NULL REFERENCES member,
  tax_period TEXT NOT NULL, supply_amount INTEGER NOT NULL, vat_amount INTEGER NOT NULL,
  issued_at TIMESTAMP WITH TIME ZONE NOT NULL, final_filing_on DATE NOT NULL
);
CREATE INDEX vat_record_member ON vat_record (member_id);
CREATE TABLE shipping (
  shipping_id INTEGER PRIMARY KEY,
  member_id INTEGER NOT NULL REFERENCES member,
  item TEXT NOT NULL, recipient_name TEXT NOT NULL, phone TEXT NOT NULL, address TEXT NOT NULL,
  status TEXT NOT NULL, requested_at TIMESTAMP WITH TIME ZONE NOT NULL
);
CREATE INDEX shipping_member ON shipping (member_id);
CREATE TABLE inquiry (
  inquiry_id INTEGER PRIMARY KEY,
  member_id INTEGER NOT NULL REFERENCES member,
  subject TEXT NOT NULL, body TEXT NOT NULL, answer TEXT,
  asked_at TIMESTAMP WITH TIME ZONE NOT NULL
);
CREATE INDEX inquiry_member ON inquiry (member_id);
CREATE TABLE service_use (
  use_id INTEGER PRIMARY KEY,
  member_id INTEGER NOT NULL REFERENCES member,
  action TEXT NOT NULL, used_at TIMESTAMP WITH TIME ZONE NOT NULL
);
CREATE INDEX service_use_member ON service_use (member_id);
CREATE TABLE access_log (
  log_id INTEGER PRIMARY KEY,
  member_id INTEGER NOT NULL REFERENCES member,
  ip_address TEXT NOT NULL, cookie_id TEXT NOT NULL, path TEXT NOT NULL,
  accessed_at TIMESTAMP WITH TIME ZONE NOT NULL
);
CREATE INDEX access_log_member ON access_log (member_id);
CREATE TABLE device (
  device_id INTEGER PRIMARY KEY,
  member_id INTEGER NOT NULL REFERENCES member,
  model TEXT NOT NULL, system TEXT NOT NULL, fingerprint TEXT NOT NULL,
  first_seen_at TIMESTAMP WITH TIME ZONE NOT NULL
);
CREATE INDEX device_member ON device (member_id);
CREATE TABLE identity_check (
  check_id INTEGER PRIMARY KEY,
  member_id INTEGER NOT NULL REFERENCES member,
  provider TEXT NOT NULL, phone TEXT NOT NULL, result TEXT NOT NULL,
  checked_at TIMESTAMP WITH TIME ZONE NOT NULL
);
CREATE INDEX identity_check_member ON identity_check (member_id);
CREATE TABLE misuse_record (
  record_id INTEGER PRIMARY KEY,
  member_id INTEGER NOT NULL REFERENCES member,
  reason TEXT NOT NULL, measure TEXT NOT NULL, recorded_at TIMESTAMP WITH TIME ZONE NOT NULL
);
CREATE INDEX misuse_record_member ON misuse_record (member_id);
CREATE TABLE notice_receipt (
  receipt_id INTEGER PRIMARY KEY,
  member_id INTEGER NOT NULL REFERENCES member,
  title TEXT NOT NULL, channel TEXT NOT NULL, sent_at TIMESTAMP WITH TIME ZONE NOT NULL
);
CREATE INDEX notice_receipt_member ON notice_receipt (member_id);
