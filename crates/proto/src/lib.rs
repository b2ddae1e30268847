//! Code generated from the protos, and nothing else.
//!
//! To add a message or a call: write it in `proto/`, name a new file in `build.rs`, done.
#![expect(missing_docs, clippy::pedantic, clippy::allow_attributes, clippy::large_enum_variant, reason = "generated code")]

use std::sync::LazyLock;

/// The encoded descriptors of every proto here, with their `google.api.http` options.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// The descriptors, decoded once.
pub static POOL: LazyLock<prost_reflect::DescriptorPool> =
    LazyLock::new(|| prost_reflect::DescriptorPool::decode(DESCRIPTORS).expect("the build script wrote them"));

pub mod google {
    pub mod api {
        tonic::include_proto!("google.api");
    }
}

pub mod xuezhu {
    pub mod common {
        pub mod v1 {
            tonic::include_proto!("xuezhu.common.v1");
        }
    }
    pub mod enrollment {
        pub mod v1 {
            tonic::include_proto!("xuezhu.enrollment.v1");
        }
    }
    pub mod bridge {
        pub mod v1 {
            tonic::include_proto!("xuezhu.bridge.v1");
        }
    }
    pub mod aid {
        pub mod v1 {
            tonic::include_proto!("xuezhu.aid.v1");
        }
    }
}

pub use xuezhu::aid::v1 as aid;
pub use xuezhu::bridge::v1 as bridge;
pub use xuezhu::common::v1 as common;
pub use xuezhu::enrollment::v1 as enrollment;
