-- Powers and delegated grants of each application in words, for downloads.
alter table reaches add column powers text[] not null default '{}';
alter table reaches add column acts_as text[] not null default '{}';
