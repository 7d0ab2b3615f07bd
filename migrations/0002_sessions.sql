-- Signed-in browsers.

-- What the cookie's session holds. The id in the cookie is random; only its SHA-256 is here, so
-- that nobody can sign in with what a copy of this table says.
-- No partner: until the record is read, nobody knows whose it is.
create table sessions (
    id_hash bytea primary key check (length(id_hash) = 32),
    record bytea not null,
    expires_at timestamptz not null
);

create index sessions_expires on sessions (expires_at);

-- The operator's own list of them, to see and to end.
create table operator_sessions (
    id uuid primary key,
    partner_id uuid not null,
    operator_id uuid not null,
    -- Of `sessions`. No reference: either may go first.
    session_hash bytea not null unique check (length(session_hash) = 32),
    device text not null,
    signed_in_at timestamptz not null,
    last_use_at timestamptz not null,
    foreign key (partner_id, operator_id) references operators (partner_id, id)
);

create index operator_sessions_operator on operator_sessions (partner_id, operator_id, last_use_at desc);

alter table operator_sessions enable row level security;
alter table operator_sessions force row level security;

create policy of_partner on operator_sessions
    using (partner_id = nullif(current_setting('postern.partner', true), '')::uuid)
    with check (partner_id = nullif(current_setting('postern.partner', true), '')::uuid);

create policy owner_reads on operator_sessions for select to current_user using (true);
