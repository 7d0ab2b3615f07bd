-- Partners and the people who sign in.
--
-- Row-level security, here and in every later migration: a row is visible only to a transaction
-- that named its partner in the setting `postern.partner`. It is forced, so it holds for the
-- owner's writes too. The owner (and nobody else) may read over all partners, so that
-- `postern verify-history` can recompute every chain.

create table partners (
    id uuid primary key,
    -- The Entra tenant whose people may sign in.
    home_tid uuid not null unique,
    name text not null,
    created_at timestamptz not null
);

alter table partners enable row level security;
alter table partners force row level security;

create policy of_partner on partners
    using (id = nullif(current_setting('postern.partner', true), '')::uuid)
    with check (id = nullif(current_setting('postern.partner', true), '')::uuid);

-- At sign-in the partner is found, or made, by the tenant that Entra vouched for.
create policy by_home_tenant on partners
    using (home_tid = nullif(current_setting('postern.home_tid', true), '')::uuid)
    with check (home_tid = nullif(current_setting('postern.home_tid', true), '')::uuid);

-- The hourly purge goes through the partners one by one; it learns their ids here.
create policy housekeeping on partners for select
    using (current_setting('postern.housekeeping', true) = 'on');

create policy owner_reads on partners for select to current_user using (true);

create table operators (
    id uuid primary key,
    partner_id uuid not null references partners (id),
    -- Who it is, as Entra says: tenant and object id, never a mail address.
    tid uuid not null,
    oid uuid not null,
    name text not null,
    upn text not null,
    -- Null: waits until an owner gives a role.
    role text check (role in ('owner', 'engineer', 'auditor')),
    created_at timestamptz not null,
    last_seen_at timestamptz not null,
    unique (tid, oid),
    unique (partner_id, id)
);

alter table operators enable row level security;
alter table operators force row level security;

create policy of_partner on operators
    using (partner_id = nullif(current_setting('postern.partner', true), '')::uuid)
    with check (partner_id = nullif(current_setting('postern.partner', true), '')::uuid);

create policy owner_reads on operators for select to current_user using (true);
