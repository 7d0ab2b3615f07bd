//! A new migration must reach the binary: the macro that embeds them only watches files it knows.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations");
}
