-- What was last read of each customer, and the reach that follows from it.
--
-- Whose partner it is stands in a subquery in these policies: it is asked for once per statement,
-- not for each of fifty thousand rows.

-- A scan of all customers of a partner.
create table fleet_scans (
    id uuid primary key,
    partner_id uuid not null references partners (id),
    started_by_name text not null,
    started_at timestamptz not null,
    ended_at timestamptz,
    cancelled boolean not null default false,
    total integer not null,
    unique (partner_id, id)
);

create index fleet_scans_newest on fleet_scans (partner_id, started_at desc);
-- One at a time per partner.
create unique index fleet_scans_one_active on fleet_scans (partner_id) where ended_at is null;

alter table fleet_scans enable row level security;
alter table fleet_scans force row level security;
create policy of_partner on fleet_scans
    using (partner_id = (select nullif(current_setting('postern.partner', true), '')::uuid))
    with check (partner_id = (select nullif(current_setting('postern.partner', true), '')::uuid));
create policy owner_reads on fleet_scans for select to current_user using (true);

-- One row per customer that was ever connected: its turn, and its newest result.
create table scans (
    customer_id uuid primary key,
    partner_id uuid not null,
    -- When it is read next. Whoever reads it holds a lease, which ends by itself when its
    -- process dies.
    due_at timestamptz not null,
    -- Somebody waits for it.
    asked boolean not null default false,
    lease uuid,
    lease_until timestamptz,
    -- The scan of all customers that it was last part of.
    fleet_id uuid,
    -- The newest attempt.
    ended_at timestamptz,
    outcome text check (outcome in ('whole', 'partial', 'failed')),
    problem jsonb,
    parts jsonb,
    -- What is known: an attempt that reads nothing leaves it as it was.
    read_at timestamptz,
    reach jsonb,
    -- What pages call the mailboxes and groups of the reach, by object id.
    names jsonb,
    changes jsonb,
    -- All mailboxes as they were last read, as [id, name], and when that was.
    mailboxes jsonb,
    mailboxes_at timestamptz,
    -- The last good reading of each part that says who holds something: it stands in where that
    -- part cannot be read.
    kept jsonb,
    -- The last certain answers: what the next reading is compared with.
    known jsonb,
    -- How often it was tried again in a row because of what passes by itself.
    tries smallint not null default 0,
    foreign key (partner_id, customer_id) references customers (partner_id, id),
    foreign key (partner_id, fleet_id) references fleet_scans (partner_id, id)
);

create index scans_due on scans (partner_id, asked desc, due_at);
create index scans_fleet on scans (partner_id, fleet_id);

alter table scans enable row level security;
alter table scans force row level security;
create policy of_partner on scans
    using (partner_id = (select nullif(current_setting('postern.partner', true), '')::uuid))
    with check (partner_id = (select nullif(current_setting('postern.partner', true), '')::uuid));
create policy owner_reads on scans for select to current_user using (true);

-- One row per application that holds a mailbox permission, as of its customer's `read_at`.
create table reaches (
    customer_id uuid not null,
    object uuid not null,
    partner_id uuid not null,
    -- Null where its service principal could not be read.
    app_id uuid,
    name text not null,
    publisher text,
    owner jsonb not null,
    -- 0 unrestricted, 1 all except some, 2 unknown, 3 confined, 4 nothing.
    level smallint not null check (level between 0 and 4),
    -- It is confined, and to no more than the senders of a setup that is done and proven.
    as_proven boolean not null,
    -- A setup can be started for it.
    can_be_confined boolean not null,
    -- The permissions by the names that pages call them (the resource is in the name where two
    -- have the same), and the level of each, in the same order.
    permissions text[] not null,
    levels smallint[] not null check (cardinality(levels) = cardinality(permissions)),
    details jsonb,
    -- What is searched in and sorted by: name, publisher and id, in small letters.
    sought text collate "C" not null,
    primary key (customer_id, object),
    foreign key (partner_id, customer_id) references customers (partner_id, id)
);

create index reaches_application on reaches (partner_id, app_id);
create index reaches_proven on reaches (customer_id, app_id);
-- The order of the longest list, each application at each customer.
create index reaches_worst on reaches (partner_id, level, sought, customer_id, object);

alter table reaches enable row level security;
alter table reaches force row level security;
create policy of_partner on reaches
    using (partner_id = (select nullif(current_setting('postern.partner', true), '')::uuid))
    with check (partner_id = (select nullif(current_setting('postern.partner', true), '')::uuid));
create policy owner_reads on reaches for select to current_user using (true);

-- The same counted, so that pages over all customers do not count them anew: of each customer, and
-- of each application over all customers. Kept by whoever writes `reaches`, by what changed.
create table reach_sums (
    partner_id uuid not null references partners (id),
    kind text not null check (kind in ('customer', 'application')),
    -- The customer; the application's id, or the object where no id was read.
    subject uuid not null,
    -- Empty: all of it, by the level of the application. Else by the level of this permission.
    permission text not null,
    -- Of an application, as the newest reading calls it.
    app_id uuid,
    name text not null default '',
    publisher text,
    unrestricted integer not null,
    all_except integer not null,
    unknown integer not null,
    -- Those that a setup proved are among them.
    confined integer not null,
    nothing integer not null,
    -- Open, or unknown, and can be confined by a setup.
    confinable integer not null,
    primary key (partner_id, kind, subject, permission)
);

create index reach_sums_permission on reach_sums (partner_id, kind, permission);

alter table reach_sums enable row level security;
alter table reach_sums force row level security;
create policy of_partner on reach_sums
    using (partner_id = (select nullif(current_setting('postern.partner', true), '')::uuid))
    with check (partner_id = (select nullif(current_setting('postern.partner', true), '')::uuid));
create policy owner_reads on reach_sums for select to current_user using (true);

-- Which applications are proven is asked for beside each list of them.
create index setups_proven on setups (partner_id, customer_id, app_id)
    where state = 'done' and proof = 'proven';

-- The numbers of each day, the newest of the day. Without a customer: of all of them.
create table reach_days (
    partner_id uuid not null references partners (id),
    -- All zeros for the whole partner.
    customer_id uuid not null,
    day date not null,
    unrestricted integer not null,
    all_except integer not null,
    unknown integer not null,
    confined integer not null,
    proven integer not null,
    nothing integer not null,
    primary key (partner_id, customer_id, day)
);

alter table reach_days enable row level security;
alter table reach_days force row level security;
create policy of_partner on reach_days
    using (partner_id = (select nullif(current_setting('postern.partner', true), '')::uuid))
    with check (partner_id = (select nullif(current_setting('postern.partner', true), '')::uuid));
create policy owner_reads on reach_days for select to current_user using (true);
