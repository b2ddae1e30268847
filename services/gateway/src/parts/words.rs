//! What fields are called: as the protos say (`xuezhu.common.v1.label`), once for pages, refusals and the document of the API.

use std::{collections::HashMap, sync::LazyLock};

use prost::Name;
use prost_reflect::ExtensionDescriptor;
use xuezhu_proto::POOL;

/// Labels by message and field, and by field alone: the first that says it.
struct Labels {
    of_message: HashMap<(String, String), String>,
    of_field: HashMap<String, String>,
}

static LABELS: LazyLock<Labels> = LazyLock::new(|| {
    let (mut of_message, mut of_field) = (HashMap::new(), HashMap::new());
    let label = POOL.get_extension_by_name("xuezhu.common.v1.label");
    let said = |options: &prost_reflect::DynamicMessage, label: &ExtensionDescriptor| {
        options.has_extension(label).then(|| options.get_extension(label).as_str().map(str::to_owned)).flatten()
    };
    if let Some(label) = label {
        for message in POOL.all_messages() {
            for field in message.fields() {
                if let Some(text) = said(&field.options(), &label) {
                    of_field.entry(field.name().to_owned()).or_insert_with(|| text.clone());
                    of_message.insert((message.full_name().to_owned(), field.name().to_owned()), text);
                }
            }
        }
    }
    Labels { of_message, of_field }
});

/// What a field of a message is called; its name where the protos say nothing.
pub fn label<M: Name>(field: &str) -> String {
    LABELS.of_message.get(&(M::full_name(), field.to_owned())).cloned().unwrap_or_else(|| any(field).to_owned())
}

/// What a field is called wherever it stands; its name where the protos say nothing.
pub fn any(field: &str) -> &str {
    LABELS.of_field.get(field).map_or(field, String::as_str)
}

/// A service's message with its fields named as on the page. Of one of a list, such as `majors[1]`, the place is said.
pub fn in_chinese(message: &str) -> String {
    let part = |part: &str| match part.split_once('：') {
        Some((field, told)) => {
            let (name, place) = field.split_once('[').unwrap_or((field, ""));
            let label = if name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') { any(name) } else { field };
            match place.trim_end_matches(']').parse::<usize>() {
                Ok(place) => format!("{label}第{}个：{told}", place + 1),
                Err(_) => format!("{label}：{told}"),
            }
        }
        None => part.to_owned(),
    };
    message.split('；').map(part).collect::<Vec<_>>().join("；")
}
