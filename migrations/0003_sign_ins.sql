-- Round trips to Entra that have begun: to sign in, or to consent for a customer.
-- Each is taken out once, by the browser that began it.

create table sign_ins (
    -- SHA-256 of `state`.
    state_hash bytea primary key check (length(state_hash) = 32),
    -- SHA-256 of a random value in a cookie of the browser that began.
    browser_hash bytea not null check (length(browser_hash) = 32),
    purpose text not null check (purpose in ('sign_in', 'connect')),
    nonce text not null,
    -- Sealed by the vault.
    pkce_verifier bytea not null,
    return_to text not null,
    partner_id uuid,
    operator_id uuid,
    customer_id uuid,
    -- The tenant that must come back.
    expected_tid uuid,
    way text check (way in ('admin', 'link', 'gdap')),
    created_at timestamptz not null,
    expires_at timestamptz not null,
    check ((purpose = 'connect') = (num_nulls(partner_id, customer_id, expected_tid, way) = 0))
);

create index sign_ins_expires on sign_ins (expires_at);

alter table sign_ins enable row level security;
alter table sign_ins force row level security;

-- Nobody knows the partner when the browser comes back, so the state itself is the key: a
-- transaction sees the one row whose state it names.
create policy of_state on sign_ins
    using (state_hash = decode(nullif(current_setting('postern.state', true), ''), 'hex'))
    with check (state_hash = decode(nullif(current_setting('postern.state', true), ''), 'hex'));

-- The purge removes what nobody came back for.
create policy housekeeping_reads on sign_ins for select
    using (current_setting('postern.housekeeping', true) = 'on');
create policy housekeeping_deletes on sign_ins for delete
    using (current_setting('postern.housekeeping', true) = 'on');

create policy owner_reads on sign_ins for select to current_user using (true);
