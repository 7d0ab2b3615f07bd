-- The hash of a history's entry is keyed, entries are found by who did something instead of by a
-- name, and the partner has a history of its own.

-- Which key of the ring `hash` is made with (HMAC-SHA-256). Null: of an older version, SHA-256
-- without a key.
alter table events add column key_id text;

-- Who it was, whatever they were called: two people may have one name.
alter table events add column actor_key text not null
    generated always as (coalesce(actor ->> 'id', actor ->> 'object', 'system')) stored;
drop index events_actor;
create index events_actor on events (customer_id, actor_key, seq desc);

create table partner_events (
    partner_id uuid not null references partners (id),
    -- From 1, without gaps.
    seq bigint not null check (seq >= 1),
    at timestamptz not null,
    actor jsonb not null,
    actor_name text not null,
    actor_key text not null
        generated always as (coalesce(actor ->> 'id', actor ->> 'object', 'system')) stored,
    kind text not null,
    what text not null,
    before jsonb,
    after jsonb,
    key_id text not null,
    previous_hash bytea not null check (length(previous_hash) = 32),
    hash bytea not null check (length(hash) = 32),
    primary key (partner_id, seq)
);

create index partner_events_actor on partner_events (partner_id, actor_key, seq desc);
create index partner_events_kind on partner_events (partner_id, kind, seq desc);

alter table partner_events enable row level security;
alter table partner_events force row level security;

create policy of_partner on partner_events
    using (partner_id = nullif(current_setting('postern.partner', true), '')::uuid)
    with check (partner_id = nullif(current_setting('postern.partner', true), '')::uuid);

create policy owner_reads on partner_events for select to current_user using (true);

create trigger final_rows before update or delete on partner_events
    for each row execute function events_are_final();
create trigger final_table before truncate on partner_events
    for each statement execute function events_are_final();
alter table partner_events enable always trigger final_rows;
alter table partner_events enable always trigger final_table;

-- A chain whose hashes have a key goes on with one: a process of an older version that still runs
-- is refused, instead of breaking the chain.
create function events_keep_their_key() returns trigger language plpgsql as $$
begin
    if new.key_id is null and exists (
        select from events
        where customer_id = new.customer_id and seq = new.seq - 1 and key_id is not null
    ) then
        raise exception 'this history has keyed hashes: end the processes of the older version'
            using errcode = 'restrict_violation';
    end if;
    return new;
end
$$;

create trigger keyed before insert on events
    for each row execute function events_keep_their_key();
alter table events enable always trigger keyed;
