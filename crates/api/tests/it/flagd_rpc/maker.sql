-- The member in whose name tests change things.
INSERT INTO members (id, uuid, email, email_folded, first_name, last_name, is_superuser, created_at)
VALUES (1, '7f0a2a52-6d8a-4f0c-9d6e-3f1c5a1b2c3d', 'ada@example.com', 'ada@example.com', 'Ada', '', TRUE, 0);
