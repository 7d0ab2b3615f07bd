-- Applications with a power go around every confinement: worse than unrestricted.

alter table reaches drop constraint reaches_level_check;
-- -1 power, 0 unrestricted, 1 all except some, 2 unknown, 3 confined, 4 nothing.
alter table reaches add constraint reaches_level_check check (level between -1 and 4);

alter table reach_sums add column power integer not null default 0;
alter table reach_days add column power integer not null default 0;
