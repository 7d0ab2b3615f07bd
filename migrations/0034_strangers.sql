-- What anybody may make this Postern keep without signing in.

-- Of one browser only its newest round trips stay open. Whoever begins one sees, and ends, those that
-- the same browser has begun.
create index sign_ins_browser on sign_ins (browser_hash, created_at);
create policy of_browser_reads on sign_ins for select
    using (browser_hash = decode(nullif(current_setting('postern.browser', true), ''), 'hex'));
create policy of_browser_deletes on sign_ins for delete
    using (browser_hash = decode(nullif(current_setting('postern.browser', true), ''), 'hex'));
