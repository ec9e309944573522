//! What differs between operating systems, each difference told once. Only Linux is built and
//! tested here.

mod disk;
mod machine;
mod private_files;
mod sockets;

pub use disk::{
    create_private, create_private_folder, forget_cached, free_bytes, is_at, is_mount_point,
    reserve, sync_folder,
};
pub use machine::{
    connections_bearable, machine_name, make_private, network_file_system, wall_time,
    yield_to_others,
};
pub use private_files::PrivateFolder;
pub use sockets::{Watch, fetch, prepare_to_send, send_now, unwatch, watch};
