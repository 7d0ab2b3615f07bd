-- Somebody asked for a customer to be read while it was being read: what changed before that may
-- have been read already, so it is read once more.
alter table scans add column asked_again boolean not null default false;
