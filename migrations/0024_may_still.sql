-- What was taken from an application a short while ago, in words, and until when Microsoft may go
-- on to let it.
alter table reaches add column may_still text;
alter table reaches add column may_still_until timestamptz;
