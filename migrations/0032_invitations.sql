-- Invitations tell who asks, are used up by a consent that was kept, and end with what they stand on.

-- When somebody last went to Microsoft with it, and when Microsoft last sent somebody back without
-- a consent: asked for approval, or declined.
alter table links add column asked_at timestamptz;
alter table links add column refused_at timestamptz;

-- Whoever holds a link reads its one row. Changing it takes its partner.
drop policy of_link on links;
create policy of_link on links for select
    using (token_hash = decode(nullif(current_setting('postern.link', true), ''), 'hex'));

-- The invitation that an attempt came from: it is asked again at the end of the attempt.
alter table sign_ins add column link_id uuid;
-- An operator has said that whoever signs in takes the place of an account that works.
alter table sign_ins add column replaces boolean not null default false;

-- Whose own account it is, where an operator got in with one: as a guest it has another object id
-- there than at home. Null: an admin of the customer's, or of an older version.
alter table connections add column operator_id uuid;

-- What is worth knowing about a connection that works: a domain problem. The account lacks a role,
-- or another account wanted to take its place.
alter table connections add column note jsonb;
