-- Where somebody's authority comes from, and how it ends.

-- Somebody of another tenant who is a guest in the partner's; let in only by a setting.
alter table operators add column guest boolean not null default false;

-- The person's own refresh token of this sign-in, sealed: with it Entra is asked again whether the
-- account still may sign in. Null: signed in before there was one, or Entra gave none.
alter table operator_sessions add column home_token bytea;
-- When Entra was last asked, and when it was first asked without an answer since it last said yes.
alter table operator_sessions add column asked_at timestamptz;
alter table operator_sessions add column unanswered_at timestamptz;
-- The owner of a table sees no row either where row-level security is forced.
alter table operator_sessions no force row level security;
update operator_sessions set asked_at = signed_in_at;
alter table operator_sessions force row level security;
alter table operator_sessions alter column asked_at set not null;

-- A link that was taken back, and why: revoked by hand, the customer was disconnected, or whoever
-- made it may not make any more.
alter table links add column voided_at timestamptz;
alter table links add column voided_why text check (voided_why in ('revoked', 'disconnected', 'role'));
alter table links add check ((voided_at is null) = (voided_why is null));
-- What pages and forms call a link: its random part is known to nobody but who holds it.
alter table links add column id uuid not null default gen_random_uuid() unique;
alter table links add column made_at timestamptz;
alter table links no force row level security;
update links set made_at = expires_at - interval '7 days';
alter table links force row level security;
alter table links alter column made_at set not null;
create index links_maker on links (partner_id, made_by);

-- Attempts to consent that an operator has begun end with that operator's authority.
create policy of_partner_reads on sign_ins for select
    using (partner_id = nullif(current_setting('postern.partner', true), '')::uuid);
create policy of_partner_deletes on sign_ins for delete
    using (partner_id = nullif(current_setting('postern.partner', true), '')::uuid);
create index sign_ins_operator on sign_ins (partner_id, operator_id);

-- A token that was forgotten with somebody's authority: the customer was not disconnected, and
-- `problem` says why nothing can be read.
alter table connections drop constraint connections_check;
alter table connections add constraint connections_check check (disconnected_at is null or refresh_token is null);
