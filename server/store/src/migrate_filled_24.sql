-- One row in every table of version 24. The partner is 1, the operator 3, the customer 4, the setup 5.
insert into partners (id, home_tid, name, created_at)
values ('7b0b3c52-5b0a-4b7e-8d86-000000000001', '7b0b3c52-5b0a-4b7e-8d86-000000000002', 'northwind-it.example', '2026-11-01 08:00Z');
insert into operators (id, partner_id, tid, oid, name, upn, role, created_at, last_seen_at)
values ('7b0b3c52-5b0a-4b7e-8d86-000000000003', '7b0b3c52-5b0a-4b7e-8d86-000000000001', '7b0b3c52-5b0a-4b7e-8d86-000000000002', '7b0b3c52-5b0a-4b7e-8d86-000000000013', 'Olivia', 'olivia@northwind-it.example', 'owner',
        '2026-11-01 08:00Z', '2026-11-02 08:00Z');
insert into sessions (id_hash, record, expires_at)
values ('\xabababababababababababababababababababababababababababababababab', '\x00', '2026-11-09 08:00Z');
insert into operator_sessions (id, partner_id, operator_id, session_hash, device, signed_in_at, last_use_at)
values ('7b0b3c52-5b0a-4b7e-8d86-000000000014', '7b0b3c52-5b0a-4b7e-8d86-000000000001', '7b0b3c52-5b0a-4b7e-8d86-000000000003', '\xabababababababababababababababababababababababababababababababab', 'Firefox', '2026-11-02 08:00Z', '2026-11-02 09:00Z');
insert into customers (id, partner_id, tid, name, domain, created_at)
values ('7b0b3c52-5b0a-4b7e-8d86-000000000004', '7b0b3c52-5b0a-4b7e-8d86-000000000001', '7b0b3c52-5b0a-4b7e-8d86-000000000015', 'Fabrikam', 'fabrikam.example', '2026-11-01 09:00Z');
insert into sign_ins (state_hash, browser_hash, purpose, nonce, pkce_verifier, return_to, partner_id,
                      operator_id, customer_id, expected_tid, way, created_at, expires_at)
values ('\xabababababababababababababababababababababababababababababababab', '\xabababababababababababababababababababababababababababababababab', 'connect', 'n', 'v', '/', '7b0b3c52-5b0a-4b7e-8d86-000000000001', null, '7b0b3c52-5b0a-4b7e-8d86-000000000004', '7b0b3c52-5b0a-4b7e-8d86-000000000015', 'link',
        '2026-11-02 09:00Z', '2026-11-02 09:10Z');
insert into connections (customer_id, partner_id, way, account_upn, account_oid, scopes, refresh_token,
                         key_id, consented_at, token_version)
values ('7b0b3c52-5b0a-4b7e-8d86-000000000004', '7b0b3c52-5b0a-4b7e-8d86-000000000001', 'link', 'admin@fabrikam.example', '7b0b3c52-5b0a-4b7e-8d86-000000000016', '{Exchange.Manage}', '\x00', 'a',
        '2026-11-01 09:10Z', 1);
insert into links (token_hash, partner_id, customer_id, made_by, expires_at, used_at)
values ('\xabababababababababababababababababababababababababababababababab', '7b0b3c52-5b0a-4b7e-8d86-000000000001', '7b0b3c52-5b0a-4b7e-8d86-000000000004', '7b0b3c52-5b0a-4b7e-8d86-000000000003', '2026-11-08 09:00Z', '2026-11-01 09:10Z');
insert into setups (id, partner_id, customer_id, application_object, app_id, application_name, plan,
                    intent, state, proof, doing, started_by, started_by_name, started_at, version)
values ('7b0b3c52-5b0a-4b7e-8d86-000000000005', '7b0b3c52-5b0a-4b7e-8d86-000000000001', '7b0b3c52-5b0a-4b7e-8d86-000000000004', '7b0b3c52-5b0a-4b7e-8d86-000000000017', '7b0b3c52-5b0a-4b7e-8d86-000000000018', 'Mailer', '{}', 'forward', 'done', 'proven', 'done',
        '7b0b3c52-5b0a-4b7e-8d86-000000000003', 'Olivia', '2026-11-01 10:00Z', 1);
insert into steps (setup_id, position, partner_id, kind, body)
values ('7b0b3c52-5b0a-4b7e-8d86-000000000005', 0, '7b0b3c52-5b0a-4b7e-8d86-000000000001', 'readiness', '{}');
insert into secrets (setup_id, partner_id, sealed, expires_at)
values ('7b0b3c52-5b0a-4b7e-8d86-000000000005', '7b0b3c52-5b0a-4b7e-8d86-000000000001', '\x00', '2026-11-02 10:00Z');
insert into events (customer_id, seq, partner_id, at, actor, actor_name, kind, what, requests,
                    previous_hash, hash)
values ('7b0b3c52-5b0a-4b7e-8d86-000000000004', 1, '7b0b3c52-5b0a-4b7e-8d86-000000000001', '2026-11-01 09:00Z',
        '{"actor":"operator","id":"7b0b3c52-5b0a-4b7e-8d86-000000000003","name":"Olivia"}', 'Olivia',
        'customer.added', 'Fabrikam was added.', '{}', '\xabababababababababababababababababababababababababababababababab', '\xabababababababababababababababababababababababababababababababab');
insert into fleet_scans (id, partner_id, started_by_name, started_at, total)
values ('7b0b3c52-5b0a-4b7e-8d86-000000000019', '7b0b3c52-5b0a-4b7e-8d86-000000000001', 'Olivia', '2026-11-02 08:00Z', 1);
insert into scans (customer_id, partner_id, due_at, outcome, read_at, fleet_id)
values ('7b0b3c52-5b0a-4b7e-8d86-000000000004', '7b0b3c52-5b0a-4b7e-8d86-000000000001', '2026-11-03 02:00Z', 'whole', '2026-11-02 02:00Z', '7b0b3c52-5b0a-4b7e-8d86-000000000019');
insert into reaches (customer_id, object, partner_id, app_id, name, owner, level, as_proven,
                     can_be_confined, permissions, levels, sought)
values ('7b0b3c52-5b0a-4b7e-8d86-000000000004', '7b0b3c52-5b0a-4b7e-8d86-000000000017', '7b0b3c52-5b0a-4b7e-8d86-000000000001', '7b0b3c52-5b0a-4b7e-8d86-000000000018', 'Mailer', '"tenant"', 3, true, true, '{Mail.Send}', '{3}',
        'mailer');
insert into reach_delegated (customer_id, object, partner_id, name, acts_as)
values ('7b0b3c52-5b0a-4b7e-8d86-000000000004', '7b0b3c52-5b0a-4b7e-8d86-000000000020', '7b0b3c52-5b0a-4b7e-8d86-000000000001', 'Notes', '{"Reads mail as whoever signs in."}');
insert into reach_sums (partner_id, kind, subject, permission, unrestricted, all_except, unknown,
                        confined, nothing, confinable)
values ('7b0b3c52-5b0a-4b7e-8d86-000000000001', 'customer', '7b0b3c52-5b0a-4b7e-8d86-000000000004', '', 0, 0, 0, 1, 0, 0);
insert into reach_days (partner_id, customer_id, day, unrestricted, all_except, unknown, confined, proven,
                        nothing)
values ('7b0b3c52-5b0a-4b7e-8d86-000000000001', '7b0b3c52-5b0a-4b7e-8d86-000000000004', '2026-11-02', 0, 0, 0, 1, 1, 0);
