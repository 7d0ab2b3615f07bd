//! Startup checks: the store refuses to work where row-level security would not hold, or where the
//! history could be changed.
//!
//! Three things are compared with what this binary knows: the server role's rights on each table
//! ([`crate::migrate`] grants them), the row-level policies, and the triggers that protect history
//! and plans from changes (`guard_expected.txt`). The comparison goes both ways: missing and
//! additional items are both refused.

use std::collections::BTreeSet;

use sqlx::{FromRow, PgPool};

use crate::{
    Error, Result,
    migrate::{allowed, newest_migration},
};

/// Policies and triggers as the migrations make them, one per line. A test compares the file with a
/// new database, and writes it anew with `POSTERN_WRITE_EXPECTED=1`.
const EXPECTED: &str = include_str!("guard_expected.txt");

#[derive(FromRow)]
struct RoleRow {
    name: String,
    superuser: bool,
    bypasses: bool,
    /// Whether the role may create roles, or read the replication log of the whole cluster.
    manages: bool,
    /// A table of Postern that the role owns, itself or through a membership.
    owns: Option<String>,
    /// A schema in which the role may create tables and functions.
    creates: Option<String>,
}

/// Checks the role, the migrations, and that row-level security is switched on.
pub(crate) async fn check(pool: &PgPool) -> Result<()> {
    let role: RoleRow = sqlx::query_as(
        "select current_user::text as name,
                exists (select from pg_roles r
                        where r.rolsuper and pg_has_role(current_user, r.oid, 'member')) as superuser,
                exists (select from pg_roles r
                        where r.rolbypassrls and pg_has_role(current_user, r.oid, 'member')) as bypasses,
                exists (select from pg_roles r
                        where (r.rolcreaterole or r.rolreplication)
                          and pg_has_role(current_user, r.oid, 'member')) as manages,
                (select n.nspname::text from pg_namespace n
                 where n.nspname in ('public', 'graphile_worker')
                   and has_schema_privilege(n.oid, 'create')
                 order by 1 limit 1) as creates,
                (select c.oid::regclass::text
                 from pg_class c join pg_namespace n on n.oid = c.relnamespace
                 where n.nspname in ('public', 'graphile_worker') and c.relkind in ('r', 'p')
                   and pg_has_role(current_user, c.relowner, 'member')
                 order by 1 limit 1) as owns",
    )
    .fetch_one(pool)
    .await?;
    let refuse = |why: String| Err(Error::Refused { why });
    let name = &role.name;
    if role.superuser {
        return refuse(format!(
            "the database role {name} is a superuser, which sees every partner's data; use one that owns nothing"
        ));
    }
    if role.bypasses {
        return refuse(format!(
            "the database role {name} has BYPASSRLS, which sees every partner's data; use one without"
        ));
    }
    if role.manages {
        return refuse(format!(
            "the database role {name} has CREATEROLE or REPLICATION, with which it could read every partner's data; use one without"
        ));
    }
    if let Some(table) = role.owns {
        return refuse(format!(
            "the database role {name} owns the table {table}; use one that owns nothing"
        ));
    }
    let applied: Option<bool> =
        sqlx::query_scalar("select has_table_privilege(to_regclass('_sqlx_migrations'), 'select')")
            .fetch_one(pool)
            .await?;
    let missing = "run `postern migrate` first, with the name of this role";
    if applied != Some(true) {
        return refuse(format!(
            "the database is not prepared for {name}: {missing}"
        ));
    }
    let (applied,): (Option<i64>,) =
        sqlx::query_as("select max(version) from _sqlx_migrations where success")
            .fetch_one(pool)
            .await?;
    let newest = newest_migration();
    if applied.unwrap_or_default() < newest {
        return refuse(format!(
            "the database has migration {} and this binary needs {newest}: {missing}",
            applied.unwrap_or_default()
        ));
    }
    let open: Option<String> = sqlx::query_scalar(
        "select c.oid::regclass::text
         from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where n.nspname = 'public' and c.relkind in ('r', 'p')
           and (c.relname = 'partners' or exists (
                select from pg_attribute a
                where a.attrelid = c.oid and a.attname = 'partner_id' and not a.attisdropped))
           and not (c.relrowsecurity and c.relforcerowsecurity)
         order by 1 limit 1",
    )
    .fetch_optional(pool)
    .await?;
    if let Some(table) = open {
        return refuse(format!(
            "row-level security of the table {table} is not forced"
        ));
    }
    if let Some(schema) = role.creates {
        return refuse(format!(
            "the database role {name} may make tables in the schema {schema}: run `postern migrate`, or `revoke create on schema {schema} from {name}, public`"
        ));
    }
    let expected = EXPECTED.lines().map(str::to_owned).collect();
    compare(&expected, &shape(pool).await?)?;
    compare(&allowed(), &rights(pool).await?)
}

/// The rights of the current role: its own, those through a membership, and those of everybody. The
/// lines are `table right` and `table right(column)`. Objects of an extension are left out: they
/// are often open to everybody, as the views of `pg_stat_statements` are, and hold no data of
/// Postern.
async fn rights(pool: &PgPool) -> Result<BTreeSet<String>> {
    let lines: Vec<String> = sqlx::query_scalar(
        "with tables as (
             select c.oid, case n.nspname when 'public' then c.relname::text
                                          else n.nspname || '.' || c.relname end as name
             from pg_class c join pg_namespace n on n.oid = c.relnamespace
             where n.nspname in ('public', 'graphile_worker') and c.relkind in ('r', 'p', 'v', 'm', 'f')
               and not exists (select from pg_depend d
                               where d.classid = 'pg_class'::regclass and d.objid = c.oid
                                 and d.objsubid = 0 and d.deptype = 'e')),
         of_tables as (
             select t.oid, t.name, r.word
             from tables t
             cross join unnest(array['select', 'insert', 'update', 'delete', 'truncate',
                                     'references', 'trigger']) as r (word)
             where has_table_privilege(t.oid, r.word))
         select name || ' ' || word from of_tables
         union all
         select t.name || ' ' || r.word || '(' || a.attname || ')'
         from tables t
         join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
         cross join unnest(array['select', 'insert', 'update', 'references']) as r (word)
         where has_column_privilege(t.oid, a.attnum, r.word)
           and not exists (select from of_tables o where o.oid = t.oid and o.word = r.word)",
    )
    .fetch_all(pool)
    .await?;
    Ok(lines.into_iter().collect())
}

/// The existing policies and triggers, as lines. The tables' owner is written as `owner`.
/// Conditions are written without blanks and brackets, because versions of Postgres write these
/// differently.
async fn shape(pool: &PgPool) -> Result<BTreeSet<String>> {
    let lines: Vec<String> = sqlx::query_scalar(
        "select format('policy %s %s %s for %s to %s using %s check %s',
                    c.relname, p.polname,
                    case when p.polpermissive then 'permissive' else 'restrictive' end,
                    p.polcmd,
                    (select string_agg(case when r.oid = c.relowner then 'owner'
                                            when r.oid is null then 'public'
                                            else r.rolname end, ',' order by 1)
                     from unnest(p.polroles) as t (id) left join pg_roles r on r.oid = t.id),
                    coalesce(regexp_replace(pg_get_expr(p.polqual, p.polrelid), '[\\s()]|AS \"nullif\"', '', 'g'), '-'),
                    coalesce(regexp_replace(pg_get_expr(p.polwithcheck, p.polrelid), '[\\s()]|AS \"nullif\"', '', 'g'), '-'))
         from pg_policy p join pg_class c on c.oid = p.polrelid
         where c.relnamespace = 'public'::regnamespace
         union all
         select format('trigger %s %s %s %s %s', c.relname, t.tgname, t.tgenabled, t.tgtype,
                    md5(regexp_replace(f.prosrc, '\\s', '', 'g')))
         from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_proc f on f.oid = t.tgfoid
         where c.relnamespace = 'public'::regnamespace and not t.tgisinternal",
    )
    .fetch_all(pool)
    .await?;
    Ok(lines.into_iter().collect())
}

fn compare(expected: &BTreeSet<String>, found: &BTreeSet<String>) -> Result<()> {
    // A right on a whole table replaces the rights on its columns, so the additional rights are the
    // more useful message.
    let why = if let Some(more) = found.difference(expected).next() {
        format!(
            "the database has “{more}”, which `postern migrate` did not make: take it away (a right with REVOKE, also from PUBLIC; a policy or a trigger with DROP), or run `postern migrate` again"
        )
    } else if let Some(missing) = expected.difference(found).next() {
        format!("the database lacks “{missing}”: run `postern migrate`, with the name of this role")
    } else {
        return Ok(());
    };
    Err(Error::Refused { why })
}

#[cfg(test)]
#[path = "guard_tests.rs"]
mod tests;
