-- The delegated consent with which Postern acts in a customer, and the links that ask for it.

create table connections (
    customer_id uuid primary key,
    partner_id uuid not null,
    way text not null check (way in ('admin', 'link', 'gdap')),
    account_upn text not null,
    account_oid uuid not null,
    scopes text[] not null,
    -- Sealed by the vault. Null once disconnected.
    refresh_token bytea,
    -- Of the key that sealed it.
    key_id text,
    -- A domain problem: why it does not work. Null: it works, as far as is known.
    problem jsonb,
    consented_at timestamptz not null,
    last_success_at timestamptz,
    disconnected_at timestamptz,
    -- Counts the tokens, so that the newest one wins when two processes redeem at once.
    token_version bigint not null,
    foreign key (partner_id, customer_id) references customers (partner_id, id),
    check ((refresh_token is null) = (disconnected_at is not null)),
    check ((refresh_token is null) = (key_id is null))
);

create index connections_partner on connections (partner_id);

alter table connections enable row level security;
alter table connections force row level security;

create policy of_partner on connections
    using (partner_id = nullif(current_setting('postern.partner', true), '')::uuid)
    with check (partner_id = nullif(current_setting('postern.partner', true), '')::uuid);

create policy owner_reads on connections for select to current_user using (true);

-- One-time links for a customer's own admin.
create table links (
    -- SHA-256 of the random part of the link.
    token_hash bytea primary key check (length(token_hash) = 32),
    partner_id uuid not null,
    customer_id uuid not null,
    made_by uuid not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    foreign key (partner_id, customer_id) references customers (partner_id, id),
    foreign key (partner_id, made_by) references operators (partner_id, id)
);

create index links_customer on links (partner_id, customer_id);

alter table links enable row level security;
alter table links force row level security;

create policy of_partner on links
    using (partner_id = nullif(current_setting('postern.partner', true), '')::uuid)
    with check (partner_id = nullif(current_setting('postern.partner', true), '')::uuid);

-- Whoever follows a link is nobody that Postern knows: the link is the key to its one row.
create policy of_link on links
    using (token_hash = decode(nullif(current_setting('postern.link', true), ''), 'hex'))
    with check (token_hash = decode(nullif(current_setting('postern.link', true), ''), 'hex'));

create policy owner_reads on links for select to current_user using (true);
