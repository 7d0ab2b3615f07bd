//! The components of pages.

mod breakable;
mod confirm;
mod copy;
mod dynamic;
mod empty;
mod field;
mod head;
mod icon;
mod moment;
mod pagination;
mod post;
mod problem;
#[cfg(feature = "ssr")]
mod reach;
mod setup_rows;
mod skeleton;
mod stepper;
mod table;
mod tag;
mod toast;
mod trouble;

pub use breakable::*;
pub use confirm::*;
pub use copy::*;
pub use dynamic::*;
pub use empty::*;
pub use field::*;
pub use head::*;
pub use icon::*;
pub use moment::*;
pub use pagination::*;
pub use post::*;
pub use problem::*;
#[cfg(feature = "ssr")]
pub use reach::*;
pub use setup_rows::*;
pub use skeleton::*;
pub use stepper::*;
pub use table::*;
pub use tag::*;
pub use toast::*;
pub use trouble::*;
