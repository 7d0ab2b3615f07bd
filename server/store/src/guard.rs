//! Refuses to work where row-level security would not hold.

use sqlx::{FromRow, PgPool};

use crate::{Error, Result, migrate::newest_migration};

#[derive(FromRow)]
struct RoleRow {
    name: String,
    superuser: bool,
    bypasses: bool,
    /// A table of ours that the role owns, itself or through a membership.
    owns: Option<String>,
}

/// Checks role, migrations and that security is switched on.
pub(crate) async fn check(pool: &PgPool) -> Result<()> {
    let role: RoleRow = sqlx::query_as(
        "select current_user::text as name,
                exists (select from pg_roles r
                        where r.rolsuper and pg_has_role(current_user, r.oid, 'member')) as superuser,
                exists (select from pg_roles r
                        where r.rolbypassrls and pg_has_role(current_user, r.oid, 'member')) as bypasses,
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
    Ok(())
}

#[cfg(test)]
#[path = "guard_tests.rs"]
mod tests;
