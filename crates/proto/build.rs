//! Compiles the protos with protox: nobody has to install protoc.
use std::{env, fs, path::PathBuf};

const PROTOS: &[&str] = &[
    "xuezhu/common/v1/label.proto",
    "xuezhu/common/v1/problem.proto",
    "xuezhu/common/v1/reason.proto",
    "xuezhu/common/v1/dossier.proto",
    "xuezhu/common/v1/evidence.proto",
    "xuezhu/common/v1/takeout.proto",
    "xuezhu/common/v1/audit.proto",
    "xuezhu/enrollment/v1/session.proto",
    "xuezhu/enrollment/v1/directory.proto",
    "xuezhu/enrollment/v1/directory_file.proto",
    "xuezhu/enrollment/v1/deputy.proto",
    "xuezhu/enrollment/v1/enrollment.proto",
    "xuezhu/enrollment/v1/class.proto",
    "xuezhu/enrollment/v1/head_count.proto",
    "xuezhu/enrollment/v1/submission.proto",
    "xuezhu/enrollment/v1/dossier.proto",
    "xuezhu/enrollment/v1/today.proto",
    "xuezhu/enrollment/v1/evidence.proto",
    "xuezhu/enrollment/v1/takeout.proto",
    "xuezhu/enrollment/v1/audit.proto",
    "xuezhu/bridge/v1/bridge.proto",
    "xuezhu/aid/v1/award.proto",
    "xuezhu/aid/v1/audit.proto",
    "xuezhu/aid/v1/dossier.proto",
    "xuezhu/aid/v1/reconciliation.proto",
    "xuezhu/aid/v1/forgotten.proto",
    "xuezhu/aid/v1/register.proto",
    "xuezhu/aid/v1/overview.proto",
    "xuezhu/aid/v1/policy.proto",
    "xuezhu/aid/v1/hardship.proto",
    "xuezhu/aid/v1/notice.proto",
    "xuezhu/aid/v1/quota.proto",
    "xuezhu/aid/v1/head_count.proto",
    "xuezhu/aid/v1/statement.proto",
    "xuezhu/aid/v1/omission.proto",
    "xuezhu/aid/v1/summary.proto",
    "xuezhu/aid/v1/group.proto",
    "xuezhu/aid/v1/class_award.proto",
    "xuezhu/aid/v1/today.proto",
    "xuezhu/aid/v1/evidence.proto",
    "xuezhu/aid/v1/takeout.proto",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    println!("cargo:rerun-if-changed={}", root.display());
    let mut compiler = protox::Compiler::new([&root])?;
    compiler.include_source_info(true).include_imports(true);
    compiler.open_files(PROTOS)?;
    // The encoded set keeps the google.api.http options, which the plain struct drops.
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("descriptors.bin"), compiler.encode_file_descriptor_set())?;
    // Messages know their names, by which a field's label is found.
    let mut config = prost_build::Config::new();
    config.enable_type_names();
    tonic_prost_build::configure().compile_fds_with_config(compiler.file_descriptor_set(), config)?;
    Ok(())
}
