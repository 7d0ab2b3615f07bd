// Customers, setups and history in numbers, written straight into the database.

/**
 * Gives the one partner `count` customers, each connected, with one finished setup and `events`
 * entries of history. The history is for reading only: its hashes are made up.
 * Gives {customer, setup}, ids of one of them.
 */
export function crowd(stack, count, events = 20) {
  stack.database(`
    insert into customers (id, partner_id, tid, name, domain, created_at)
    select gen_random_uuid(), p.id, gen_random_uuid(), 'Customer ' || lpad(n::text, 5, '0'),
           'customer' || n || '.example', now() - n * interval '1 minute'
    from partners p, generate_series(1, ${count}) n;

    insert into connections (customer_id, partner_id, way, account_upn, account_oid, scopes, refresh_token, key_id,
                             consented_at, last_success_at, token_version)
    select c.id, c.partner_id, 'admin', 'admin@' || c.domain, gen_random_uuid(), '{Directory.Read.All}',
           '\\x00', 'k1', now(), now(), 1
    from customers c where not exists (select from connections o where o.customer_id = c.id);

    -- Nobody reads them: there is nothing behind their tokens.
    insert into scans (customer_id, partner_id, due_at)
    select c.id, c.partner_id, now() + interval '1 day' from customers c
    on conflict (customer_id) do update set due_at = excluded.due_at;

    insert into setups (id, partner_id, customer_id, application_object, app_id, application_name, plan, intent, state,
                        proof, doing, started_by, started_by_name, started_at, ended_at, version)
    select gen_random_uuid(), c.partner_id, c.id, gen_random_uuid(), gen_random_uuid(), 'Mailer',
           jsonb_build_object(
             'application', jsonb_build_object('object', gen_random_uuid(), 'app_id', gen_random_uuid(), 'name', 'Mailer'),
             'senders', jsonb_build_array(jsonb_build_object('object', gen_random_uuid(), 'address', 'a@' || c.domain, 'name', 'A', 'kind', 'user')),
             'refused', jsonb_build_array(jsonb_build_object('object', gen_random_uuid(), 'address', 'b@' || c.domain, 'name', 'B', 'kind', 'user')),
             'group', jsonb_build_object('kind', 'new', 'name', 'postern-mailer', 'address', 'postern-mailer@' || c.domain),
             'prove', false),
           'forward', 'done', 'checked', 'Finished.', o.id, o.name, now() - interval '1 hour', now(), 9
    from customers c join operators o on o.partner_id = c.partner_id
    where c.name like 'Customer %';

    insert into steps (setup_id, position, partner_id, kind, body)
    select s.id, k.n - 1, s.partner_id, k.kind,
           jsonb_build_object('kind', k.kind, 'state', case k.kind when 'prove' then 'skipped' else 'done' end,
             'why', 'The approved plan leaves real mail out.', 'started', 1795464245123, 'ended', 1795464246123,
             'summary', 'Done.', 'evidence', '[]'::jsonb, 'probes', '[]'::jsonb, 'attempts', 1, 'left', null)
    from setups s, unnest(array['readiness','group','visible','senders','policy','check','prove']) with ordinality k(kind, n)
    where s.application_name = 'Mailer' and s.version = 9;

    insert into events (customer_id, seq, partner_id, at, actor, actor_name, kind, setup_id, what, requests, previous_hash, hash)
    select c.id, n, c.partner_id, now() - (${events} - n) * interval '1 minute', '{"kind":"system"}', 'Postern', 'step.done',
           null, 'Senders: 2 of 2, read back.', array[gen_random_uuid()::text],
           sha256(convert_to(c.id::text || (n - 1), 'utf8')), sha256(convert_to(c.id::text || n, 'utf8'))
    from customers c, generate_series(1, ${events}) n where c.name like 'Customer %';

    analyze;`);
  const [customer, setup] = stack.database("select customer_id || ' ' || id from setups where application_name = 'Mailer' order by id limit 1").split(" ");
  return { customer, setup };
}
