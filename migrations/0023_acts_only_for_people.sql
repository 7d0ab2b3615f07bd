-- Applications that reach nothing by themselves and act for whoever signs in: for downloads, apart
-- from those that are counted.

create table reach_delegated (
    customer_id uuid not null,
    object uuid not null,
    partner_id uuid not null,
    -- Null where its service principal could not be read.
    app_id uuid,
    name text not null,
    publisher text,
    -- What it may do for whoever signs in to it, in words.
    acts_as text[] not null,
    primary key (customer_id, object),
    foreign key (partner_id, customer_id) references customers (partner_id, id)
);

create index reach_delegated_partner on reach_delegated (partner_id, customer_id);

alter table reach_delegated enable row level security;
alter table reach_delegated force row level security;
create policy of_partner on reach_delegated
    using (partner_id = (select nullif(current_setting('postern.partner', true), '')::uuid))
    with check (partner_id = (select nullif(current_setting('postern.partner', true), '')::uuid));
create policy owner_reads on reach_delegated for select to current_user using (true);
