-- What the newest look at a tenant says of a setup's claim, so that no list claims more than was
-- last read.

-- What the setup's own steps showed; `proof` is what is left of it now. Null: as `proof`, written
-- by an older version.
alter table setups add column showed text;
-- The newest look: when, by what, and what it says. Null: none since the last step.
alter table setups add column judged jsonb;
