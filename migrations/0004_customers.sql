-- Customer tenants of a partner.

create table customers (
    id uuid primary key,
    partner_id uuid not null references partners (id),
    -- Two partners may look after the same tenant; neither learns of the other.
    tid uuid not null,
    name text not null,
    domain text not null,
    created_at timestamptz not null,
    unique (partner_id, tid),
    -- What other tables refer to: a row of theirs cannot name another partner's customer.
    unique (partner_id, id)
);

create index customers_name on customers (partner_id, lower(name), id);

alter table customers enable row level security;
alter table customers force row level security;

create policy of_partner on customers
    using (partner_id = nullif(current_setting('postern.partner', true), '')::uuid)
    with check (partner_id = nullif(current_setting('postern.partner', true), '')::uuid);

create policy owner_reads on customers for select to current_user using (true);
