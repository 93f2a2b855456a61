-- How people prove who they are without a password.

-- Links that change an account. What stands in one is stored as a hash, and not before it is mailed or shown.
CREATE TABLE account_links (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    member_id BIGINT NOT NULL REFERENCES members (id),
    -- `password`, `activation` or `email`.
    purpose TEXT NOT NULL,
    -- Null while it waits to be shown to a superuser, where no mail can be sent.
    token_hash TEXT UNIQUE,
    -- Digest of the account when the link was made: with another address or password the link is over.
    account_state TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX account_links_member ON account_links (member_id);
CREATE INDEX account_links_expiry ON account_links (expires_at);

-- Who a member is for services that they sign in with.
CREATE TABLE external_accounts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    member_id BIGINT NOT NULL REFERENCES members (id),
    provider TEXT NOT NULL,
    -- The service's own, lasting name for them.
    subject TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (provider, subject)
);
CREATE INDEX external_accounts_member ON external_accounts (member_id);

-- Sign-ins with another service that came back: each one counts once.
CREATE TABLE spent_states (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    token_hash TEXT NOT NULL UNIQUE,
    expires_at BIGINT NOT NULL
);
CREATE INDEX spent_states_expiry ON spent_states (expires_at);

-- Null: nobody has shown that mail to the address reaches the member.
ALTER TABLE members ADD COLUMN email_verified_at BIGINT;
-- Superusers came by the machine's own command line or the first sign-in link.
UPDATE members SET email_verified_at = created_at WHERE is_superuser;

-- The link that was mailed: another than the one given to whoever invites.
ALTER TABLE invites ADD COLUMN mail_token_hash TEXT;
CREATE UNIQUE INDEX invites_mail_token ON invites (mail_token_hash) WHERE mail_token_hash IS NOT NULL;
-- Null: never.
ALTER TABLE invites ADD COLUMN expires_at BIGINT;

