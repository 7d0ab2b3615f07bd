-- Whether a setup holds its application: said once, for lists, counts and the rule of one at a time.
-- The states are those of which the domain says so; a test compares the two.
alter table setups add column active boolean not null generated always as
    (state in ('running', 'waiting', 'needs_secret', 'failed', 'rolling_back')) stored;

drop index setups_one_active;
create unique index setups_one_active on setups (customer_id, app_id) where active;
drop index setups_active;
create index setups_active on setups (partner_id, started_at desc) where active;
