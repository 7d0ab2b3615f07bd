-- Guided runs and their steps.

create table setups (
    id uuid primary key,
    partner_id uuid not null,
    customer_id uuid not null,
    application_object uuid not null,
    app_id uuid not null,
    application_name text not null,
    -- Approved once, never changed afterwards: see the trigger.
    plan jsonb not null,
    intent text not null check (intent in ('forward', 'cancel', 'roll_back')),
    -- Derived from the steps at each save, for lists and for the index below.
    state text not null,
    proof text not null,
    doing text not null,
    started_by uuid not null,
    started_by_name text not null,
    started_at timestamptz not null,
    ended_at timestamptz,
    -- Counts the changes.
    version bigint not null,
    next_look_at timestamptz,
    -- The application's client secret was given once, whether it is still here or not.
    secret_given boolean not null default false,
    foreign key (partner_id, customer_id) references customers (partner_id, id),
    foreign key (partner_id, started_by) references operators (partner_id, id),
    unique (partner_id, id),
    unique (partner_id, customer_id, id)
);

-- One at a time per application. The states are those of which the domain says that they hold
-- the application; a test compares the two.
create unique index setups_one_active on setups (customer_id, app_id)
    where state in ('running', 'waiting', 'needs_secret', 'failed', 'rolling_back');

create index setups_customer on setups (partner_id, customer_id, started_at desc);
create index setups_started on setups (partner_id, started_at desc);
create index setups_active on setups (partner_id, started_at desc)
    where state in ('running', 'waiting', 'needs_secret', 'failed', 'rolling_back');

alter table setups enable row level security;
alter table setups force row level security;

create policy of_partner on setups
    using (partner_id = nullif(current_setting('postern.partner', true), '')::uuid)
    with check (partner_id = nullif(current_setting('postern.partner', true), '')::uuid);

create policy owner_reads on setups for select to current_user using (true);

create function setups_keep_plan() returns trigger language plpgsql as $$
begin
    if (new.id, new.partner_id, new.customer_id, new.application_object, new.app_id,
        new.application_name, new.plan, new.started_by, new.started_by_name, new.started_at)
        is distinct from
       (old.id, old.partner_id, old.customer_id, old.application_object, old.app_id,
        old.application_name, old.plan, old.started_by, old.started_by_name, old.started_at)
    then
        raise exception 'the plan of a setup never changes' using errcode = 'restrict_violation';
    end if;
    return new;
end
$$;

create trigger keep_plan before update on setups
    for each row execute function setups_keep_plan();

create table steps (
    setup_id uuid not null,
    -- From 0, in the order of the plan.
    position integer not null check (position >= 0),
    partner_id uuid not null,
    kind text not null,
    -- The step as the domain writes it: state, evidence, probes.
    body jsonb not null,
    primary key (setup_id, position),
    foreign key (partner_id, setup_id) references setups (partner_id, id)
);

alter table steps enable row level security;
alter table steps force row level security;

create policy of_partner on steps
    using (partner_id = nullif(current_setting('postern.partner', true), '')::uuid)
    with check (partner_id = nullif(current_setting('postern.partner', true), '')::uuid);

create policy owner_reads on steps for select to current_user using (true);
