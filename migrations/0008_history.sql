-- A customer's history: append only, each entry with the hash of the one before.

create table events (
    customer_id uuid not null,
    -- From 1, without gaps.
    seq bigint not null check (seq >= 1),
    partner_id uuid not null,
    at timestamptz not null,
    actor jsonb not null,
    -- The name within `actor`, for the filter.
    actor_name text not null,
    kind text not null,
    setup_id uuid,
    what text not null,
    before jsonb,
    after jsonb,
    -- Microsoft's request ids.
    requests text[] not null,
    previous_hash bytea not null check (length(previous_hash) = 32),
    -- SHA-256 over everything above; how, says the store's module `history_hash`.
    hash bytea not null check (length(hash) = 32),
    primary key (customer_id, seq),
    foreign key (partner_id, customer_id) references customers (partner_id, id),
    foreign key (partner_id, customer_id, setup_id) references setups (partner_id, customer_id, id)
);

create index events_actor on events (customer_id, actor_name, seq desc);
create index events_kind on events (customer_id, kind, seq desc);

alter table events enable row level security;
alter table events force row level security;

create policy of_partner on events
    using (partner_id = nullif(current_setting('postern.partner', true), '')::uuid)
    with check (partner_id = nullif(current_setting('postern.partner', true), '')::uuid);

create policy owner_reads on events for select to current_user using (true);

-- The server's role has no grant to change entries. The triggers refuse it to everybody else,
-- the owner and superusers included, and also where triggers are switched off for a session.
create function events_are_final() returns trigger language plpgsql as $$
begin
    raise exception 'history is append only' using errcode = 'restrict_violation';
end
$$;

create trigger final_rows before update or delete on events
    for each row execute function events_are_final();
create trigger final_table before truncate on events
    for each statement execute function events_are_final();
alter table events enable always trigger final_rows;
alter table events enable always trigger final_table;
