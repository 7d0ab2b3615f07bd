-- Client secrets of applications, kept only until the proof ends.

create table secrets (
    setup_id uuid primary key,
    partner_id uuid not null,
    -- Sealed by the vault.
    sealed bytea not null,
    expires_at timestamptz not null,
    foreign key (partner_id, setup_id) references setups (partner_id, id)
);

create index secrets_expires on secrets (partner_id, expires_at);

alter table secrets enable row level security;
alter table secrets force row level security;

create policy of_partner on secrets
    using (partner_id = nullif(current_setting('postern.partner', true), '')::uuid)
    with check (partner_id = nullif(current_setting('postern.partner', true), '')::uuid);

create policy owner_reads on secrets for select to current_user using (true);
